//! Counts the fragments of a message as they come in. tungstenite limits a message's bytes, but not
//! how many empty fragments it is sent in, and reads on for as long as they come.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that fails once a message has come in more than `most` fragments.
pub struct Guarded<S> {
    stream: S,
    /// Read by the HTTP parser beyond the upgrade request.
    early: Bytes,
    frames: Frames,
    fragments: u32,
    most: u32,
    flooded: bool,
}

impl<S> Guarded<S> {
    pub fn new(stream: S, early: Bytes, most: u32) -> Self {
        Self {
            stream,
            early,
            frames: Frames::default(),
            fragments: 0,
            most,
            flooded: false,
        }
    }

    pub fn flooded(&self) -> bool {
        self.flooded
    }

    /// Past the count: for reading away what nobody will look at.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    fn watch(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some((fin, opcode)) = self.frames.next_header(&mut bytes) {
            // RFC 6455, 5.4: control frames (8 and up) may stand between fragments.
            if opcode < 8 {
                self.fragments = if fin { 0 } else { self.fragments + 1 };
                if self.fragments > self.most {
                    self.flooded = true;
                    return Err(io::Error::other("a message in too many fragments"));
                }
            }
        }
        Ok(())
    }
}

/// Where in the frames of a byte stream we are (RFC 6455, 5.2).
#[derive(Default)]
struct Frames {
    header: [u8; 14],
    have: u8,
    /// Payload bytes still to come.
    payload: u64,
}

impl Frames {
    /// The next frame's FIN and opcode, once its header is whole; none when the bytes are used up.
    fn next_header(&mut self, bytes: &mut &[u8]) -> Option<(bool, u8)> {
        loop {
            let skip = self.payload.min(bytes.len() as u64);
            *bytes = &bytes[skip as usize..];
            self.payload -= skip;
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            self.header[usize::from(self.have)] = byte;
            self.have += 1;
            if self.have >= 2 && usize::from(self.have) == self.header_length() {
                self.payload = self.payload_length();
                self.have = 0;
                return Some((self.header[0] & 0x80 != 0, self.header[0] & 0x0f));
            }
        }
    }

    fn header_length(&self) -> usize {
        let extended = match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.header[1] & 0x80 != 0 { 4 } else { 0 };
        2 + extended + mask
    }

    fn payload_length(&self) -> u64 {
        let h = &self.header;
        match h[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes([h[2], h[3]])),
            127 => u64::from_be_bytes([h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9]]),
            short => u64::from(short),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let before = buf.filled().len();
        if me.early.has_remaining() {
            let take = me.early.len().min(buf.remaining());
            buf.put_slice(&me.early.split_to(take));
        } else {
            std::task::ready!(Pin::new(&mut me.stream).poll_read(cx, buf))?;
        }
        Poll::Ready(me.watch(&buf.filled()[before..]))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(fin: bool, opcode: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![if fin { 0x80 } else { 0 } | opcode];
        match payload {
            0..126 => bytes.push(0x80 | payload as u8),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend([0xff; 4]);
        bytes.extend(std::iter::repeat_n(0xff, payload));
        bytes
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let sent = [
            (false, 1, 0),
            (false, 0, 125),
            (true, 9, 3),
            (true, 0, 126),
            (true, 2, 70_000),
        ];
        let bytes: Vec<u8> = sent
            .iter()
            .flat_map(|&(fin, opcode, payload)| frame(fin, opcode, payload))
            .collect();
        for cut in [1, 2, 3, 7, 1_000, bytes.len()] {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for mut piece in bytes.chunks(cut) {
                while let Some(header) = frames.next_header(&mut piece) {
                    found.push(header);
                }
            }
            assert_eq!(found, sent.map(|(fin, opcode, _)| (fin, opcode)), "cut every {cut}");
        }
    }

    #[test]
    fn too_many_fragments_of_one_message_fail_and_whole_messages_do_not() {
        let mut guarded = Guarded::new((), Bytes::new(), 3);
        for _ in 0..10 {
            assert!(guarded.watch(&frame(true, 1, 5)).is_ok());
            assert!(guarded.watch(&frame(false, 1, 0)).is_ok());
            assert!(guarded.watch(&frame(true, 9, 0)).is_ok());
            assert!(guarded.watch(&frame(true, 0, 0)).is_ok());
        }
        let flood: Vec<u8> = (0..4).flat_map(|_| frame(false, 0, 0)).collect();
        assert!(guarded.watch(&flood).is_err());
        assert!(guarded.flooded());
    }
}
