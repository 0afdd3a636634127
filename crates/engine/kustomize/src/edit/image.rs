//! `kustomize edit set image`.

use std::collections::BTreeMap;

use crate::error::KustomizeError;
use crate::kustomization::Image;

/// Stands for what the kustomization says already.
const KEEP: &str = "*";

const BAD_IMAGE: &str = "invalid format of image, use one of the following options:
- <image>=<newimage>:<newtag>
- <image>=<newimage>@<digest>
- <image>=<newimage>:<newtag>@<digest>
- <image>=<newimage>
- <image>:<newtag>
- <image>:<newtag>@<digest>
- <image>@<digest>";

/// Sets images, and puts all of them in the order of their names.
///
/// # Errors
///
/// For what is no image.
pub(super) fn set(images: &mut Vec<Image>, arguments: &[String]) -> Result<(), KustomizeError> {
    let mut by_name: BTreeMap<String, Image> = BTreeMap::new();
    for argument in arguments {
        let image = parse(argument)?;
        by_name.insert(image.name.clone(), image);
    }
    for there in images.drain(..) {
        let Some(image) = by_name.get_mut(&there.name) else {
            by_name.insert(there.name.clone(), there);
            continue;
        };
        let mut kept = false;
        for (new, old) in [
            (&mut image.new_name, &there.new_name),
            (&mut image.new_tag, &there.new_tag),
            (&mut image.digest, &there.digest),
        ] {
            if new == KEEP {
                new.clone_from(old);
                kept = true;
            }
        }
        if kept {
            image.tag_suffix.clear();
        }
    }
    for mut image in by_name.into_values() {
        for new in [&mut image.new_name, &mut image.new_tag, &mut image.digest] {
            if new == KEEP {
                new.clear();
            }
        }
        images.push(image);
    }
    Ok(())
}

fn parse(argument: &str) -> Result<Image, KustomizeError> {
    let (key, value) = argument.split_once('=').unwrap_or(("", argument));
    let (name, tag, digest) = split(value);
    if name == argument {
        return Err(KustomizeError::said(BAD_IMAGE));
    }
    let (name, new_name) = if key.is_empty() { (name, "") } else { (key, name) };
    Ok(Image {
        name: name.to_owned(),
        new_name: new_name.to_owned(),
        tag_suffix: String::new(),
        new_tag: tag.to_owned(),
        digest: digest.to_owned(),
    })
}

/// Cuts `name[:tag][@digest]`; a port before the first `/` is no tag.
fn split(image: &str) -> (&str, &str, &str) {
    let host = image.find('/').unwrap_or(0);
    let digest_at = image[host..].find('@').map(|at| at + host);
    let tag_at = image[host..].find(':').map(|at| at + host);
    match (tag_at, digest_at) {
        (None, None) => (image, "", ""),
        (Some(tag), Some(digest)) if tag < digest => {
            (&image[..tag], &image[tag + 1..digest], &image[digest + 1..])
        }
        (_, Some(digest)) => (&image[..digest], "", &image[digest + 1..]),
        (Some(tag), None) => (&image[..tag], &image[tag + 1..], ""),
    }
}
