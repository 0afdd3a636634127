//! Prints what local repositories cost: `cargo run --release -p source --example figures`.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use filetree::{Recording, TreePath};
use source::{Config, Credentials, Freshness, Sources, TreeOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("source-figures-{}", std::process::id()));
    let repo_dir = dir.join("repo");
    std::fs::create_dir_all(&repo_dir)?;
    git(&repo_dir, &["init", "-q", "-b", "main"])?;
    for n in 0..1000 {
        let app = repo_dir.join(format!("apps/app-{n}"));
        std::fs::create_dir_all(&app)?;
        std::fs::write(app.join("cm.yaml"), format!("kind: ConfigMap\ndata: {{n: '{n}'}}\n"))?;
    }
    commit(&repo_dir)?;
    git(&repo_dir, &["gc", "-q"])?;

    let sources = Sources::new(Config { allow_file: true, ..Config::new(dir.join("cache")) });
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    sources.on_change(Box::new(move |_| told.send(Instant::now()).unwrap_or_default()));
    let url = format!("file://{}", repo_dir.display());
    let options = TreeOptions::default();

    let cold = Instant::now();
    let repo = sources.repository(&url, &Arc::new(Credentials::default()))?;
    let commit_id = repo.resolve("main", Freshness::Latest).await?.commit;
    let tree = repo.tree(commit_id, &options).await?;
    println!("resolve + tree, cold: {:?}", cold.elapsed());

    let rounds = 1000;
    let warm = Instant::now();
    for _ in 0..rounds {
        let commit_id = repo.resolve("main", Freshness::Latest).await?.commit;
        repo.tree(commit_id, &options).await?;
    }
    println!("resolve (latest) + tree, warm: {:?}", warm.elapsed() / rounds);

    let recording = Recording::new(tree.clone());
    for path in ["apps/app-500", "apps/app-500/cm.yaml", "apps/app-500/Chart.yaml"] {
        let path = TreePath::parse(path)?;
        recording.entry_or_names(&path)?;
    }
    let seen = recording.read_set();
    let check = Instant::now();
    for _ in 0..rounds {
        assert!(seen.holds_in(&*tree));
    }
    println!("read set of {} answers holds: {:?}", seen.len(), check.elapsed() / rounds);

    let _watch = sources.watch(&repo).await;
    let warm = Instant::now();
    for _ in 0..rounds {
        let commit_id = repo.resolve("main", Freshness::Known).await?.commit;
        repo.tree(commit_id, &options).await?;
    }
    println!("resolve (known, watched) + tree, warm: {:?}", warm.elapsed() / rounds);

    let mut waits = Vec::new();
    for n in 0..20 {
        std::fs::write(repo_dir.join("apps/app-500/cm.yaml"), n.to_string())?;
        commit(&repo_dir)?;
        let committed = Instant::now();
        let told_at = heard.recv().await.ok_or("nobody tells")?;
        waits.push(told_at.saturating_duration_since(committed));
    }
    waits.sort_unstable();
    println!("end of `git commit` to callback: p50 {:?}, max {:?}", waits[10], waits[19]);

    let cpu = cpu_time()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("CPU in 5 s of idling with one repository: {:?}", cpu_time()? - cpu);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Asks what a rendering of a directory asks.
trait Asking {
    fn entry_or_names(&self, path: &TreePath) -> Result<(), filetree::TreeError>;
}

impl Asking for Recording {
    fn entry_or_names(&self, path: &TreePath) -> Result<(), filetree::TreeError> {
        use filetree::FileTree;
        if self.list(path)?.is_none() {
            self.entry(path)?;
        }
        Ok(())
    }
}

fn commit(dir: &Path) -> std::io::Result<()> {
    git(dir, &["add", "-A"])?;
    git(dir, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "change"])
}

fn git(dir: &Path, args: &[&str]) -> std::io::Result<()> {
    let status = Command::new("git").current_dir(dir).args(args).status()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other("git failed")) }
}

/// User and system time of this process, from `/proc`.
fn cpu_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().ok_or("no name")?;
    let fields: Vec<u64> = after_name.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // Fields 14 and 15 of the line, in hundredths of a second; the state is no number.
    Ok(Duration::from_millis((fields[10] + fields[11]) * 10))
}
