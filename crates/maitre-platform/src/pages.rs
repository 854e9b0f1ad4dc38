//! Lists in pages whose end a marketplace does not document.

use std::{collections::BTreeSet, fmt};

/// Reads pages until one contains no new entry, so that the list is complete whether or not the marketplace reports its
/// length. `fetch` gets the number of entries read so far and of the page, from 1; `id` identifies an entry.
///
/// # Errors
/// Returns the error of the first page that cannot be read.
pub async fn read_pages<T, I: Ord, E: fmt::Display, F>(
    mut fetch: impl FnMut(usize, usize) -> F,
    id: impl Fn(&T) -> I,
) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<Vec<T>, E>>,
{
    let (mut entries, mut known) = (Vec::new(), BTreeSet::new());
    for page in 1.. {
        let before = entries.len();
        let read = fetch(before, page).await?;
        entries.extend(read.into_iter().filter(|entry| known.insert(id(entry))));
        if entries.len() == before {
            break;
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::ready, pin::pin, task};

    use super::*;

    fn read(fetch: impl FnMut(usize, usize) -> std::future::Ready<Result<Vec<u8>, Infallible>>) -> Vec<u8> {
        match pin!(read_pages(fetch, |entry| *entry)).poll(&mut task::Context::from_waker(task::Waker::noop())) {
            task::Poll::Ready(Ok(read)) => read,
            task::Poll::Pending => panic!("every page is ready"),
        }
    }

    #[test]
    fn pages_are_read_until_one_is_empty_or_repeats_another() {
        let all: Vec<u8> = (0..7).collect();
        let by_page = |_, page| ready(Ok(all.chunks(3).nth(page - 1).unwrap_or_default().to_vec()));
        assert_eq!(read(by_page), all);
        let by_offset = |offset, _| ready(Ok(all[offset..].iter().copied().take(3).collect()));
        assert_eq!(read(by_offset), all);
        let without_pages = |_, _| ready(Ok(all.clone()));
        assert_eq!(read(without_pages), all);
    }
}
