//! Files of a volume that would stand in each other's place.

use crate::cursor::At;

/// A path, and what puts a file there; `""` where the volume has one source.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    path: String,
    source: String,
}

impl File {
    fn shown(&self) -> String {
        let path = manifest::field::quote(&self.path);
        match self.source.as_str() {
            "" => path,
            source => format!("{path} ({source})"),
        }
    }

    fn meets(&self, other: &File) -> bool {
        let (a, b) = (format!("{}/", self.path), format!("{}/", other.path));
        !self.path.is_empty() && !other.path.is_empty() && (a.starts_with(&b) || b.starts_with(&a))
    }
}

/// What is said of the files of volumes.
pub fn of_volumes(volumes: &At<'_>, said: &mut Vec<String>) {
    for volume in volumes.items() {
        let name = manifest::field::quote(volume.at("name").text());
        for (field, kind, called) in [
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
            ("downwardAPI", "DownwardAPI", ""),
        ] {
            let source = volume.at(field);
            let shown = match called {
                "" => kind.to_owned(),
                called => format!("{kind} {}", manifest::field::quote(source.at(called).text())),
            };
            for words in meetings(&mut Vec::new(), files(&source, "")) {
                said.push(format!("volume {name} ({shown}): overlapping paths: {words}"));
            }
        }
        projected(&volume.at("projected"), &name, said);
    }
}

fn projected(at: &At<'_>, name: &str, said: &mut Vec<String>) {
    let mut all = Vec::new();
    for source in at.at("sources").items() {
        if source.is_empty() {
            said.push(format!("volume {name} (Projected) has no sources provided"));
            continue;
        }
        for words in meetings(&mut all, source_files(&source)) {
            said.push(format!("volume {name} (Projected): overlapping paths: {words}"));
        }
    }
}

fn source_files(source: &At<'_>) -> Vec<File> {
    let quote = manifest::field::quote;
    let file = |path: &At<'_>, source: &str| File {
        path: path.text().to_owned(),
        source: source.to_owned(),
    };
    for (field, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
        let at = source.at(field);
        if at.at("items").is_set() {
            return files(&at, &format!("{kind} {}", quote(at.at("name").text())));
        }
    }
    let down = source.at("downwardAPI");
    if down.at("items").is_set() {
        return files(&down, "DownwardAPI");
    }
    let token = source.at("serviceAccountToken");
    if token.is_set() {
        return vec![file(&token.at("path"), "ServiceAccountToken")];
    }
    let bundle = source.at("clusterTrustBundle");
    if bundle.is_set() {
        let name = match bundle.at("name").is_set() {
            true => bundle.at("name"),
            false => bundle.at("signerName"),
        };
        let source = format!("ClusterTrustBundle {}", quote(name.text()));
        return vec![file(&bundle.at("path"), &source)];
    }
    let certificate = source.at("podCertificate");
    [
        ("certificateChainPath", "PodCertificate chain"),
        ("keyPath", "PodCertificate key"),
        ("credentialBundlePath", "PodCertificate credential bundle"),
    ]
    .into_iter()
    .filter(|(field, _)| !certificate.at(field).is_empty())
    .map(|(field, source)| file(&certificate.at(field), source))
    .collect()
}

fn files(at: &At<'_>, source: &str) -> Vec<File> {
    let path = |item: At<'_>| item.at("path").text().to_owned();
    at.at("items")
        .items()
        .map(|item| File { path: path(item), source: source.to_owned() })
        .collect()
}

/// Adds files to those that are there, and tells which meet.
fn meetings(all: &mut Vec<File>, more: Vec<File>) -> Vec<String> {
    let mut said = Vec::new();
    for mut file in more {
        file.path = file.path.trim_end_matches('/').to_owned();
        let met = all.iter().filter(|other| other.meets(&file));
        said.extend(met.map(|other| format!("{} with {}", file.shown(), other.shown())));
        all.push(file);
    }
    said
}
