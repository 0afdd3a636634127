//! What claims devices: classes, claims and their templates.

use std::collections::{BTreeMap, BTreeSet};

use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cel;
use crate::cursor::At;
use crate::meta;
use crate::names;

/// Requests, constraints, configurations and selectors may be so many.
const ITEMS_MAX: u64 = 32;
const ALTERNATIVES_MAX: u64 = 8;
const USERS_MAX: u64 = 256;
const POOL_NAME_BYTES_MAX: usize = 253;
const EXPRESSION_BYTES_MAX: usize = 10 * 1024;
const PARAMETERS_BYTES_MAX: usize = 10 * 1024;
const ID_BYTES_MAX: usize = 32;
const NO_REQUEST: &str = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/// Requests by name, with the names of their alternatives.
type Requests<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// A ResourceClaim.
pub fn claim(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    match old {
        None => claim_spec(&spec, errors),
        Some(old) => {
            let name = "io.k8s.api.resource.v1.ResourceClaimSpec";
            if !spec.is_as_struct(&old.at("spec"), name) {
                errors.push(spec.invalid("field is immutable").showing(shown_claim(&spec)));
            }
        }
    }
}

/// Why a text is no uid.
fn wrong_uid(text: &str) -> Option<String> {
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let inside = match text.len() {
        36 => text,
        45 if text.get(..9).is_some_and(|urn| urn.eq_ignore_ascii_case("urn:uuid:")) => &text[9..],
        45 => {
            let urn: String = text.chars().take(9).collect();
            let urn = manifest::field::quote(&urn);
            return Some(format!("error validating uid: invalid urn prefix: {urn}"));
        }
        38 if text.starts_with('{') && text.ends_with('}') => &text[1..37],
        38 => return Some("error validating uid: invalid bracketed UUID format".to_owned()),
        32 if hexadecimal(text) => text,
        32 => return Some("error validating uid: invalid UUID format".to_owned()),
        length => return Some(format!("error validating uid: invalid UUID length: {length}")),
    };
    let fits = inside.len() == 32
        || inside.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if !fits {
        return Some("error validating uid: invalid UUID format".to_owned());
    }
    (text.len() != 36 || text != text.to_lowercase()).then(|| {
        "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters".to_owned()
    })
}

/// What becomes of a claim's status.
pub fn claim_status(object: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let (status, before) = (object.at("status"), old.at("status"));
    let named = requests_of(&object.to(&["spec", "devices", "requests"]));
    let users = status.at("reservedFor");
    if fits(&users, USERS_MAX, errors) {
        for user in users.items() {
            for field in ["resource", "name", "uid"] {
                if user.at(field).is_empty() {
                    errors.push(user.at(field).required(""));
                }
            }
        }
        twins(&users, |user| user.at("uid").text().to_owned(), errors);
    }
    let allocation = status.at("allocation");
    let results = allocation.to(&["devices", "results"]);
    let key = |at: &At<'_>| -> Vec<String> {
        let fields = ["driver", "pool", "device", "shareID"];
        fields.iter().map(|field| at.at(field).text().to_owned()).collect()
    };
    let allocated: BTreeSet<Vec<String>> = results.items().map(|one| key(&one)).collect();
    let (mut seen, mut twice) = (BTreeSet::new(), Vec::new());
    for device in status.at("devices").items() {
        driver(&device.at("driver"), errors);
        pool_name(&device.at("pool"), errors);
        request_name(&device.at("device"), errors);
        let share = device.at("shareID");
        if share.is_set() {
            errors.extend(wrong_uid(share.text()).map(|why| share.invalid(why)));
        }
        let parts = key(&device);
        let text = |at: usize| Value::from(parts[at].as_str());
        let shown = format!(
            r#"{{"Driver":{},"Pool":{},"Device":{},"ShareID":{}}}"#,
            text(0),
            text(1),
            text(2),
            text(3)
        );
        if !allocated.contains(&parts) {
            let words = "must be an allocated device in the claim";
            errors.push(device.invalid(words).showing(shown.clone()));
        }
        crate::status::conditions(&device.at("conditions"), errors);
        if !seen.insert(parts) {
            twice.push(device.duplicate().showing(shown));
        }
    }
    errors.extend(twice);
    if !users.is_empty() && !allocation.is_set() {
        errors.push(users.forbidden("may not be specified when `allocated` is not set"));
    }
    if !allocation.is_set() {
        return;
    }
    if before.at("allocation").is_set() {
        if !allocation.is_as(&before.at("allocation")) {
            errors.push(allocation.invalid("field is immutable"));
        }
        return;
    }
    for result in results.items() {
        reference(&result.at("request"), &named, errors);
        driver(&result.at("driver"), errors);
        pool_name(&result.at("pool"), errors);
        request_name(&result.at("device"), errors);
    }
    for config in allocation.to(&["devices", "config"]).items() {
        let source = config.at("source");
        if source.is_empty() {
            errors.push(source.required(""));
        } else {
            source.one_of(&["FromClaim", "FromClass"], errors);
        }
        references(&config.at("requests"), &named, errors);
        configuration(&config, errors);
    }
    if allocation.at("nodeSelector").is_set() {
        crate::pod::affinity::node_selector(&allocation.at("nodeSelector"), errors);
    }
}

/// A ResourceClaimTemplate.
pub fn claim_template(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let metadata = spec.at("metadata");
    meta::annotations(&metadata.at("annotations"), errors);
    meta::labels(&metadata.at("labels"), errors);
    const OTHERS: [(&str, &str); 13] = [
        ("name", "name"),
        ("generateName", "generateName"),
        ("namespace", "namespace"),
        ("selfLink", "selfLink"),
        ("uid", "uID"),
        ("resourceVersion", "resourceVersion"),
        ("generation", "generation"),
        ("creationTimestamp", "creationTimestamp"),
        ("deletionTimestamp", "deletionTimestamp"),
        ("deletionGracePeriodSeconds", "deletionGracePeriodSeconds"),
        ("ownerReferences", "ownerReferences"),
        ("finalizers", "finalizers"),
        ("managedFields", "managedFields"),
    ];
    for (field, shown) in OTHERS {
        let at = metadata.at(field);
        // A pointer to nothing is something.
        let is_nothing = *at.value == json!("") || (field == "generation" && *at.value == json!(0));
        if at.is_set() && !is_nothing {
            errors.push(FieldError::forbidden(metadata.child(shown), "cannot be set"));
        }
    }
    claim_spec(&spec.at("spec"), errors);
    let Some(old) = old else { return };
    if !spec.is_as_struct(&old.at("spec"), "io.k8s.api.resource.v1.ResourceClaimTemplateSpec") {
        let mut shown = String::from("{");
        let (before, after) = OTHERS.split_at(OTHERS.len() - 3);
        let names = before.iter().chain(&[("labels", ""), ("annotations", "")]).chain(after);
        for (field, _) in names {
            let value = metadata.at(field);
            let text = match *field {
                "ownerReferences" => meta::shown_owners(&value),
                _ => value.value.to_string(),
            };
            // What is empty is not printed.
            if !value.is_empty() && *value.value != json!(0) {
                shown.push_str(&format!("\"{field}\":{text},"));
            }
        }
        let shown = format!("{shown}\"Spec\":{}}}", shown_claim(&spec.at("spec")));
        errors.push(spec.invalid("field is immutable").showing(shown));
    }
}

/// A DeviceClass.
pub fn class(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    selectors(&spec.at("selectors"), errors);
    let configs = spec.at("config");
    if fits(&configs, ITEMS_MAX, errors) {
        configs.items().for_each(|one| configuration(&one, errors));
    }
    let name = spec.at("extendedResourceName");
    if name.is_set() && !is_extended_resource(name.text()) {
        errors.push(name.invalid("must be a valid extended resource name"));
    }
}

fn is_extended_resource(name: &str) -> bool {
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    !native
        && !name.starts_with("requests.")
        && names::qualified(&format!("requests.{name}")).is_empty()
}

/// Whether a list is no longer than it may be; longer ones are not looked into.
pub fn fits(at: &At<'_>, max: u64, errors: &mut Vec<FieldError>) -> bool {
    let count = at.items().count() as u64;
    if count > max {
        errors.push(FieldError::too_many(at.path.clone(), count, max));
    }
    count <= max
}

/// Names what stands in a list twice, by its key.
pub fn twins(at: &At<'_>, key: impl Fn(&At<'_>) -> String, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for item in at.items() {
        let key = key(&item);
        if !seen.insert(key.clone()) {
            errors.push(FieldError::duplicate(item.path, key));
        }
    }
}

fn claim_spec(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let devices = spec.at("devices");
    let requests = devices.at("requests");
    let named = requests_of(&requests);
    if fits(&requests, ITEMS_MAX, errors) {
        requests.items().for_each(|one| request(&one, errors));
        twins(&requests, |one| one.at("name").text().to_owned(), errors);
    }
    let constraints = devices.at("constraints");
    if fits(&constraints, ITEMS_MAX, errors) {
        constraints.items().for_each(|one| constraint(&one, &named, errors));
    }
    let configs = devices.at("config");
    if fits(&configs, ITEMS_MAX, errors) {
        for config in configs.items() {
            references(&config.at("requests"), &named, errors);
            configuration(&config, errors);
        }
    }
}

fn requests_of<'a>(requests: &At<'a>) -> Requests<'a> {
    requests
        .items()
        .map(|request| {
            let inside = request.at("firstAvailable").items();
            (request.at("name").text(), inside.map(|one| one.at("name").text()).collect())
        })
        .collect()
}

fn request_name(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for words in names::label(at.text(), false) {
        errors.push(FieldError::invalid(at.path.clone(), at.text(), words));
    }
}

fn request(at: &At<'_>, errors: &mut Vec<FieldError>) {
    request_name(&at.at("name"), errors);
    let (exactly, first) = (at.at("exactly"), at.at("firstAvailable"));
    match (exactly.is_set(), !first.is_empty()) {
        (false, false) => {
            errors.push(at.required("exactly one of `exactly` or `firstAvailable` is required"));
        }
        (true, true) => errors.push(
            at.invalid("exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set")
                .showing("null"),
        ),
        (true, false) => one_request(&exactly, errors),
        (false, true) => {
            if fits(&first, ALTERNATIVES_MAX, errors) {
                for one in first.items() {
                    request_name(&one.at("name"), errors);
                    one_request(&one, errors);
                }
                twins(&first, |one| one.at("name").text().to_owned(), errors);
            }
        }
    }
}

fn one_request(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let class = at.at("deviceClassName");
    if class.is_empty() {
        errors.push(class.required(""));
    } else {
        class.named(names::subdomain(class.text(), false), errors);
    }
    selectors(&at.at("selectors"), errors);
    let (mode, count) = (at.at("allocationMode"), at.at("count"));
    let number = count.number().unwrap_or(0);
    let wrong = |words: &str| FieldError::invalid(count.path.clone(), number, words);
    match mode.text() {
        "All" if number != 0 => {
            errors.push(wrong("must not be specified when allocationMode is 'All'"));
        }
        "ExactCount" if number <= 0 => errors.push(wrong("must be greater than zero")),
        "All" | "ExactCount" => {}
        _ => errors.push(mode.unsupported(&["All", "ExactCount"])),
    }
    at.at("tolerations").items().for_each(|one| toleration(&one, errors));
}

fn selectors(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !fits(at, ITEMS_MAX, errors) {
        return;
    }
    for one in at.items() {
        let cel = one.at("cel");
        if !cel.is_set() {
            errors.push(cel.required(""));
            continue;
        }
        let expression = cel.at("expression");
        if expression.text().len() > EXPRESSION_BYTES_MAX {
            errors.push(FieldError::too_long(expression.path.clone(), EXPRESSION_BYTES_MAX as u64));
        } else {
            cel::device(&expression, errors);
        }
    }
}

/// What a taint does.
pub const EFFECTS: [&str; 3] = ["NoExecute", "NoSchedule", "None"];

fn toleration(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (key, operator, value) = (at.at("key"), at.at("operator"), at.at("value"));
    if !key.is_empty() {
        key.named(names::qualified(key.text()), errors);
    }
    match operator.text() {
        "Exists" => {
            if !value.is_empty() {
                errors.push(value.invalid("must be empty for operator `Exists`"));
            }
        }
        "Equal" => value.named(names::label_value(value.text()), errors),
        "" => errors.push(operator.required("")),
        _ => errors.push(operator.unsupported(&["Equal", "Exists"])),
    }
    let effect = at.at("effect");
    if !effect.is_empty() {
        effect.one_of(&EFFECTS, errors);
    }
}

fn references(at: &At<'_>, named: &Requests<'_>, errors: &mut Vec<FieldError>) {
    if !fits(at, ITEMS_MAX, errors) {
        return;
    }
    at.items().for_each(|one| reference(&one, named, errors));
    twins(at, |one| one.text().to_owned(), errors);
}

fn reference(one: &At<'_>, named: &Requests<'_>, errors: &mut Vec<FieldError>) {
    let parts: Vec<&str> = one.text().split('/').collect();
    if parts.len() > 2 {
        errors.push(one.invalid(NO_REQUEST));
        return;
    }
    for part in &parts {
        for words in names::label(part, false) {
            errors.push(FieldError::invalid(one.path.clone(), *part, words));
        }
    }
    let known = named.get(parts[0]).is_some_and(|inside| match parts.get(1) {
        Some(part) => inside.contains(part),
        None => true,
    });
    if !known {
        errors.push(FieldError::invalid(one.path.clone(), one.text(), NO_REQUEST));
    }
}

fn constraint(at: &At<'_>, named: &Requests<'_>, errors: &mut Vec<FieldError>) {
    references(&at.at("requests"), named, errors);
    let (same, other) = (at.at("matchAttribute"), at.at("distinctAttribute"));
    let attribute = if same.is_set() { same } else { other };
    if !attribute.is_set() {
        errors.push(at.required(
            r#"exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set"#,
        ));
        return;
    }
    qualified(attribute.text(), &attribute.path, errors);
    if !attribute.text().contains('/') {
        errors
            .push(attribute.invalid(
                "a fully qualified name must be a domain and a name separated by a slash",
            ));
    }
}

/// The name of an attribute or a capacity: `name`, or `example.com/name`.
pub fn qualified(text: &str, path: &str, errors: &mut Vec<FieldError>) {
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts.as_slice() {
        [name] => *name,
        [domain, name] => {
            if domain.is_empty() {
                errors.push(FieldError::invalid(path, "", "the domain must not be empty"));
            } else {
                driver(&At { value: &Value::from(*domain), path: path.to_owned() }, errors);
            }
            if name.is_empty() {
                errors.push(FieldError::invalid(path, "", "the name must not be empty"));
                return;
            }
            *name
        }
        _ => return,
    };
    if name.len() > ID_BYTES_MAX {
        errors.push(FieldError::too_long(path, ID_BYTES_MAX as u64));
    }
    let good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !good {
        errors.push(FieldError::invalid(
            path,
            name,
            "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')",
        ));
    }
}

/// The name of a driver.
pub fn driver(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.is_empty() {
        errors.push(at.required(""));
        return;
    }
    if at.text().len() > 63 {
        errors.push(FieldError::too_long(at.path.clone(), 63));
    }
    at.named(names::subdomain(&at.text().to_lowercase(), false), errors);
}

/// The name of a pool of devices.
pub fn pool_name(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.is_empty() {
        errors.push(at.required(""));
        return;
    }
    if at.text().len() > POOL_NAME_BYTES_MAX {
        errors.push(FieldError::too_long(at.path.clone(), POOL_NAME_BYTES_MAX as u64));
    }
    for part in at.text().split('/') {
        for words in names::subdomain(part, false) {
            errors.push(FieldError::invalid(at.path.clone(), part, words));
        }
    }
}

fn configuration(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let opaque = at.at("opaque");
    if !opaque.is_set() {
        errors.push(opaque.required(""));
        return;
    }
    driver(&opaque.at("driver"), errors);
    let parameters = opaque.at("parameters");
    match parameters.value {
        Value::Null => errors.push(parameters.required("")),
        value if value.to_string().len() > PARAMETERS_BYTES_MAX => {
            errors.push(FieldError::too_long(parameters.path.clone(), PARAMETERS_BYTES_MAX as u64));
        }
        Value::Object(_) => {}
        _ => errors.push(FieldError::invalid(
            parameters.path.clone(),
            "<value omitted>",
            "must be a valid JSON object",
        )),
    }
}

/// How Go prints a field of the server's own structs, in the order in which they stand there.
enum Shown {
    Text(&'static str),
    Number(&'static str),
    /// Absent is null.
    Plain(&'static str),
    List(&'static str, &'static [(&'static str, Shown)]),
    Struct(&'static str, &'static [(&'static str, Shown)]),
}

const SELECTORS: Shown = Shown::List(
    "selectors",
    &[("CEL", Shown::Struct("cel", &[("Expression", Shown::Text("expression"))]))],
);
const TOLERATIONS: Shown = Shown::List(
    "tolerations",
    &[
        ("Key", Shown::Text("key")),
        ("Operator", Shown::Text("operator")),
        ("Value", Shown::Text("value")),
        ("Effect", Shown::Text("effect")),
        ("TolerationSeconds", Shown::Plain("tolerationSeconds")),
    ],
);
const CAPACITY: Shown = Shown::Struct("capacity", &[("Requests", Shown::Plain("requests"))]);
const REQUEST: &[(&str, Shown)] = &[
    ("Name", Shown::Text("name")),
    (
        "Exactly",
        Shown::Struct(
            "exactly",
            &[
                ("DeviceClassName", Shown::Text("deviceClassName")),
                ("Selectors", SELECTORS),
                ("AllocationMode", Shown::Text("allocationMode")),
                ("Count", Shown::Number("count")),
                ("AdminAccess", Shown::Plain("adminAccess")),
                ("Tolerations", TOLERATIONS),
                ("Capacity", CAPACITY),
            ],
        ),
    ),
    (
        "FirstAvailable",
        Shown::List(
            "firstAvailable",
            &[
                ("Name", Shown::Text("name")),
                ("DeviceClassName", Shown::Text("deviceClassName")),
                ("Selectors", SELECTORS),
                ("AllocationMode", Shown::Text("allocationMode")),
                ("Count", Shown::Number("count")),
                ("Tolerations", TOLERATIONS),
                ("Capacity", CAPACITY),
            ],
        ),
    ),
];
const CLAIM: &[(&str, Shown)] = &[
    ("Requests", Shown::List("requests", REQUEST)),
    (
        "Constraints",
        Shown::List(
            "constraints",
            &[
                ("Requests", Shown::Plain("requests")),
                ("MatchAttribute", Shown::Plain("matchAttribute")),
                ("DistinctAttribute", Shown::Plain("distinctAttribute")),
            ],
        ),
    ),
    (
        "Config",
        Shown::List(
            "config",
            &[
                ("Requests", Shown::Plain("requests")),
                (
                    "Opaque",
                    Shown::Struct(
                        "opaque",
                        &[
                            ("Driver", Shown::Text("driver")),
                            ("Parameters", Shown::Plain("parameters")),
                        ],
                    ),
                ),
            ],
        ),
    ),
];

fn shown_claim(spec: &At<'_>) -> String {
    format!("{{\"Devices\":{}}}", shown(&spec.at("devices"), CLAIM))
}

fn shown(at: &At<'_>, fields: &[(&str, Shown)]) -> String {
    let parts: Vec<String> = fields
        .iter()
        .map(|(name, field)| format!("\"{name}\":{}", shown_field(at, field)))
        .collect();
    format!("{{{}}}", parts.join(","))
}

fn shown_field(at: &At<'_>, field: &Shown) -> String {
    match field {
        Shown::Text(name) => {
            // Go writes signs that mean something in HTML as escapes.
            let text = json!(at.at(name).text()).to_string();
            text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
        }
        Shown::Number(name) => at.at(name).number().unwrap_or(0).to_string(),
        Shown::Plain(name) => at.at(name).value.to_string(),
        Shown::List(name, fields) if at.at(name).value.is_array() => {
            let items: Vec<String> = at.at(name).items().map(|item| shown(&item, fields)).collect();
            format!("[{}]", items.join(","))
        }
        Shown::Struct(name, fields) if at.at(name).is_set() => shown(&at.at(name), fields),
        Shown::List(..) | Shown::Struct(..) => "null".to_owned(),
    }
}
