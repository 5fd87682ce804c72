//! The simulated user: HTTP enough for the CRM's backend, and a socket that holds as little as it can,
//! since thousands of them live in this process.

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// One kept-alive HTTP/1.1 connection with a bearer token.
pub struct Http {
    stream: BufReader<TcpStream>,
    address: String,
    token: String,
}

impl Http {
    pub async fn connect(address: &str, token: &str) -> Result<Self> {
        let tcp = TcpStream::connect(address)
            .await
            .with_context(|| format!("nobody at {address}"))?;
        tcp.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(tcp),
            address: address.to_owned(),
            token: token.to_owned(),
        })
    }

    /// The JSON of a successful answer.
    pub async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
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
        let text = String::from_utf8_lossy(&answer);
        ensure!((200..300).contains(&status), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).with_context(|| format!("{method} {path}"))
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

/// A signed-in socket.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects, says hello, and returns when the hub has said that there is nothing to catch up.
    pub async fn open(address: &str, token: &str) -> Result<Self> {
        let mut request = format!("ws://{address}/v1/ws").into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "crewline.v1".parse()?);
        let tcp = TcpStream::connect(address).await?;
        let small = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
        let (mut ws, _) = client_async_with_config(request, tcp, Some(small)).await?;
        let hello = json!({"type": "hello", "token": token});
        ws.send(Message::text(hello.to_string())).await?;
        let mut socket = Self(ws);
        while !is_caught_up(&socket.next().await?) {}
        Ok(socket)
    }

    /// The next text frame. Pings are answered on the way.
    pub async fn next(&mut self) -> Result<String> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(frame))) => bail!("closed: {frame:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => bail!("the hub hung up"),
            }
        }
    }
}

fn is_caught_up(frame: &str) -> bool {
    serde_json::from_str::<Value>(frame).is_ok_and(|frame| frame["type"] == "caught_up")
}
