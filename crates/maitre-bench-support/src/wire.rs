//! Parser for the HTTP/1.1 responses of the servers under load.

/// Complete response.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// Status code.
    pub status: u16,
    head: &'a str,
    /// Body.
    pub body: &'a str,
}

impl<'a> Reply<'a> {
    /// Parses a response. Returns `None` if it is incomplete or invalid.
    ///
    /// ```
    /// use maitre_bench_support::wire::Reply;
    ///
    /// let reply = Reply::read(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
    /// assert_eq!((reply.status, reply.body), (200, "{}"));
    /// assert!(Reply::read(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}").is_none());
    /// ```
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = std::str::from_utf8(bytes).ok()?.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let reply = Self { status, head, body: rest };
        let length = reply.header("content-length").map_or(Some(0), |length| length.parse().ok())?;
        (rest.len() == length).then_some(reply)
    }

    /// Returns the value of a header, whose name is not case-sensitive.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.head.split("\r\n").skip(1).find_map(|line| {
            let (there, value) = line.split_once(": ")?;
            there.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}
