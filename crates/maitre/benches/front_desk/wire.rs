//! Reading HTTP/1.1 replies, as far as the two servers use it.

/// A whole reply.
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    head: &'a str,
    pub(crate) body: &'a str,
}

impl<'a> Reply<'a> {
    /// Nothing as long as it is not all there, and nothing for what is no reply.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = std::str::from_utf8(bytes).ok()?.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let reply = Self { status, head, body: rest };
        let length = reply.header("content-length").map_or(Some(0), |length| length.parse().ok())?;
        (rest.len() == length).then_some(reply)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.head.split("\r\n").skip(1).find_map(|line| {
            let (there, value) = line.split_once(": ")?;
            there.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}
