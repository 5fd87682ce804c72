//! HTTP enough for the CRM's backend.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One kept-alive HTTP/1.1 connection with a bearer token.
pub struct Http {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    token: String,
}

impl Http {
    pub async fn connect(address: SocketAddr, token: &str) -> Result<Self> {
        let tcp = TcpStream::connect(address)
            .await
            .with_context(|| format!("nobody at {address}"))?;
        tcp.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(tcp),
            address,
            token: token.to_owned(),
        })
    }

    /// The JSON of a successful answer.
    pub async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let text = self.text(method, path, body).await?;
        serde_json::from_str(&text).with_context(|| format!("{method} {path}"))
    }

    /// A successful answer as it is.
    pub async fn text(&mut self, method: &str, path: &str, body: &Value) -> Result<String> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            self.token,
            body.len()
        );
        self.stream.write_all((head + &body).as_bytes()).await?;
        let (status, length) = self.head().await?;
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).await?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        ensure!((200..300).contains(&status), "{method} {path}: {status} {text}");
        Ok(text)
    }

    /// Status and content length.
    async fn head(&mut self) -> Result<(u16, usize)> {
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            ensure!(self.stream.read_line(&mut line).await? > 0, "the hub hung up");
            let line = line.trim_end();
            if line.is_empty() {
                return Ok((status.context("an answer without a status")?, length));
            }
            if status.is_none() {
                status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
    }
}
