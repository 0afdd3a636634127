//! A TCP proxy whose connections the test can cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Stands between a client and a server on 127.0.0.1.
pub struct Proxy {
    pub port: u16,
    /// Each new number cuts the connections that are open.
    cuts: watch::Sender<u64>,
    closed: Arc<AtomicBool>,
    opened: Arc<std::sync::atomic::AtomicUsize>,
    _task: JoinSet<()>,
}

impl Proxy {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = watch::Sender::new(0);
        let closed = Arc::new(AtomicBool::new(false));
        let opened = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let (sender, shut, count) = (cuts.clone(), closed.clone(), opened.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                if shut.load(Ordering::Acquire) {
                    continue;
                }
                count.fetch_add(1, Ordering::AcqRel);
                let mut cut = sender.subscribe();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", target)).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { port, cuts, closed, opened, _task: task }
    }

    /// Ends every open connection.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Ends every open connection, and each new one at once, until `open`.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.cut();
    }

    pub fn open(&self) {
        self.closed.store(false, Ordering::Release);
    }

    /// Connections that were let through so far.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::Acquire)
    }
}
