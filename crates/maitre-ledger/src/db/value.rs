//! Parameters of statements.

/// Statement parameter. Each has a type, because Postgres needs one for NULL too.
#[derive(Clone, Copy)]
pub(crate) enum Value<'v> {
    Number(i64),
    MaybeNumber(Option<i64>),
    Numbers(&'v [i64]),
    Text(Option<&'v str>),
    Bytes(Option<&'v [u8]>),
    Texts(&'v [Option<&'v str>]),
    #[cfg(feature = "postgres")]
    ManyBytes(&'v [Vec<u8>]),
}

/// Makes a list of parameters: `values![id, plan, sealed]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}
pub(crate) use values;

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeNumber(number)
    }
}

impl<'v> From<&'v [i64]> for Value<'v> {
    fn from(numbers: &'v [i64]) -> Self {
        Self::Numbers(numbers)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<Option<&'v str>> for Value<'v> {
    fn from(text: Option<&'v str>) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'v> From<&'v Vec<u8>> for Value<'v> {
    fn from(bytes: &'v Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'v> From<Option<&'v [u8]>> for Value<'v> {
    fn from(bytes: Option<&'v [u8]>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'v> From<&'v [Option<&'v str>]> for Value<'v> {
    fn from(texts: &'v [Option<&'v str>]) -> Self {
        Self::Texts(texts)
    }
}

#[cfg(feature = "postgres")]
impl<'v> From<&'v [Vec<u8>]> for Value<'v> {
    fn from(many: &'v [Vec<u8>]) -> Self {
        Self::ManyBytes(many)
    }
}
