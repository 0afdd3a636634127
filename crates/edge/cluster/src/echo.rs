//! Writes of ours that are on their way: a watch may tell of one before its answer is here.
//!
//! Who wrote a large object knows what it is then, once the answer has said its version. A watch
//! that is quicker than the answer waits for it a little, and need not read the object.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use manifest::ObjectKey;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a watch waits for an answer at most; then it reads for itself.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// The server's URL, and the object.
type Place = (String, ObjectKey);

/// Several connections to one server may follow the same kind: they are the process's.
static WRITING: LazyLock<Mutex<HashMap<Place, watch::Receiver<()>>>> =
    LazyLock::new(Mutex::default);

/// A write that is on its way, and that nobody has told of yet. Dropped, it is over.
#[derive(Debug)]
pub struct Writing {
    place: Place,
    _under_way: watch::Sender<()>,
}

impl Writing {
    pub(crate) fn of(server: &str, key: &ObjectKey) -> Self {
        let (sender, receiver) = watch::channel(());
        let place = (server.to_owned(), key.clone());
        WRITING.lock().insert(place.clone(), receiver);
        Self { place, _under_way: sender }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        WRITING.lock().remove(&self.place);
    }
}

/// Waits until no write of ours to this object is under way, but not for long.
pub(crate) async fn settled(server: &str, key: ObjectKey) {
    let place = (server.to_owned(), key);
    let under_way = WRITING.lock().get(&place).cloned();
    if let Some(mut under_way) = under_way {
        // It only ever ends: nothing is sent.
        let _ = timeout(WAIT_MAX, under_way.changed()).await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_watch_waits_while_the_same_object_is_written() {
        let thing = |name| ObjectKey::new("g", "Thing", "ns", name);
        let waits = |server, name| settled(server, thing(name)).now_or_never().is_none();
        let writing = Writing::of("https://one", &thing("a"));
        assert!(waits("https://one", "a"));
        assert!(!waits("https://one", "b"), "another object");
        assert!(!waits("https://two", "a"), "another server");
        let mut waiting = std::pin::pin!(settled("https://one", thing("a")));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(writing);
        waiting.await;
        assert!(!waits("https://one", "a"), "it is over");
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_not_waited_for_long() {
        let key = ObjectKey::new("g", "Thing", "ns", "slow");
        let _writing = Writing::of("https://one", &key);
        let mut waiting = std::pin::pin!(settled("https://one", key));
        assert!(waiting.as_mut().now_or_never().is_none());
        waiting.await;
    }
}
