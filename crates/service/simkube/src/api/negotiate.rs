//! In which form the client wants the answer.

use super::problem::Problem;
use super::route::Query;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The object or list itself.
    Whole,
    /// Rows for people.
    Table(Include),
    /// Only the metadata, of one object or of a list.
    Metadata(Count),
}

/// How many objects a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// One.
    One,
    /// Any number.
    List,
}

/// What a table's rows carry beside their cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// The object's metadata.
    Metadata,
    /// The object.
    Object,
}

/// How an answer is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What of it.
    pub form: Form,
    /// YAML instead of JSON.
    pub yaml: bool,
    /// Tables and metadata alone at the version before the last.
    pub older: bool,
}

/// What is said where custom objects are asked for in another form.
pub const ACCEPTED: &str = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// What is said where a watch is asked for in another form.
pub const ACCEPTED_OF_WATCHES: &str = "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

/// What is said of a path that leads nowhere.
pub const NO_RESOURCE: &str = "the server could not find the requested resource";

/// What lists may be had in besides.
pub const ALSO_FOR_LISTS: &str =
    ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

/// Chooses the first form of `accept` that is served.
///
/// # Errors
///
/// 406 where there is none.
pub fn choose(accept: &str, query: &Query) -> Result<Wanted, Problem> {
    let include = match query.get("includeObject") {
        "None" => Include::None,
        "Object" => Include::Object,
        _ => Include::Metadata,
    };
    if accept.trim().is_empty() {
        return Ok(Wanted { form: Form::Whole, yaml: false, older: false });
    }
    let mut clauses: Vec<&str> = accept.split(',').collect();
    // What is wanted more comes first; what is wanted as much stays in its order.
    clauses.sort_by_key(|clause| std::cmp::Reverse(weight(clause)));
    let mut known = false;
    for clause in clauses {
        let mut parts = clause.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let parameter = |name: &str| {
            clause
                .split(';')
                .skip(1)
                .filter_map(|part| part.trim().split_once('='))
                .find(|(at, _)| *at == name)
                .map(|(_, value)| value)
        };
        let yaml = match media {
            "application/json" | "*/*" => false,
            "application/yaml" => true,
            _ => continue,
        };
        known = true;
        let served = parameter("g").is_some_and(|group| group == "meta.k8s.io")
            && parameter("v").is_some_and(|version| matches!(version, "v1" | "v1beta1"));
        let form = match parameter("as") {
            None => Form::Whole,
            Some("Table") if served => Form::Table(include),
            Some("PartialObjectMetadata") if served => Form::Metadata(Count::One),
            Some("PartialObjectMetadataList") if served => Form::Metadata(Count::List),
            Some(_) => continue,
        };
        let older = form != Form::Whole && parameter("v") == Some("v1beta1");
        return Ok(Wanted { form, yaml, older });
    }
    if known {
        // The form is not served in which the type could be.
        return Err(Problem::new(406, "NotAcceptable", ACCEPTED));
    }
    let mut problem = Problem::new(
        406,
        "NotAcceptable",
        "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    );
    problem.details = Some(serde_json::json!({}));
    Err(problem)
}

/// Returns whether an answer is told in YAML. What went wrong has one form only: who asks for another is told
/// in JSON.
pub fn is_yaml(accept: &str, went_well: bool) -> bool {
    let clauses: Vec<&str> = accept
        .split(',')
        .filter(|clause| {
            let another = clause.split(';').any(|part| part.trim().starts_with("as="));
            went_well || !another
        })
        .collect();
    !clauses.is_empty()
        && choose(&clauses.join(","), &Query::default()).is_ok_and(|wanted| wanted.yaml)
}

/// How much a clause of `Accept` is wanted, in thousandths.
fn weight(clause: &str) -> u32 {
    let named = clause.split(';').skip(1).filter_map(|part| part.trim().split_once('='));
    let mut said =
        named.filter(|(name, _)| *name == "q").filter_map(|(_, q)| q.parse::<f64>().ok());
    said.next().map_or(1000, |q| (q.clamp(0.0, 1.0) * 1000.0) as u32)
}
