//! All functions, with their signatures.

use std::sync::LazyLock;

use goval::Type::{Any, Bool, Float64, Int, List, Map, Named, String, Uint32};
use goval::{Body, Context, Function, Type, Value};

use crate::args::Answer;
use crate::{
    crypto, dicts, encoding, formats, lists, logic, numbers, paths, random, regexes, semver,
    strings, time, urls, words,
};

/// Whose functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Helm 3.19.
    Helm3,
    /// Helm 4.2.
    Helm4,
}

/// The functions of a profile, apart from `text/template`'s own and those that render again
/// (`include`, `tpl`) or need the chart (`required`, `fail`, `lookup`).
pub fn functions(profile: Profile) -> &'static [Function] {
    match profile {
        Profile::Helm3 => &HELM_3,
        Profile::Helm4 => HELM_4,
    }
}

/// Helm 3.19 lacks two, and names a wrong constraint without quotes.
static HELM_3: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let shared = HELM_4
        .iter()
        .filter(|function| !matches!(function.name, "mustToYaml" | "mustToToml" | "semverCompare"));
    let mut functions: Vec<Function> = shared
        .map(|Function { name, params, variadic, body }| Function {
            name,
            params,
            variadic: *variadic,
            body: *body,
        })
        .collect();
    functions.push(fixed("semverCompare", &[String, String], semver::semver_compare_3_19));
    functions
});

const fn fixed(name: &'static str, params: &'static [Type], body: Body) -> Function {
    Function { name, params, variadic: false, body }
}

/// The last parameter may come any number of times.
const fn many(name: &'static str, params: &'static [Type], body: Body) -> Function {
    Function { name, params, variadic: true, body }
}

/// Names are not looked up.
fn get_host_by_name(_: &mut Context<'_>, _: &[Value]) -> Answer {
    Ok(Value::str(""))
}

static HELM_4: &[Function] = &[
    // Strings.
    fixed("abbrev", &[Int, String], words::abbrev),
    fixed("abbrevboth", &[Int, Int, String], words::abbrev_both),
    fixed("camelcase", &[String], words::camelcase),
    many("cat", &[Any], strings::cat),
    fixed("contains", &[String, String], strings::contains),
    fixed("hasPrefix", &[String, String], strings::has_prefix),
    fixed("hasSuffix", &[String, String], strings::has_suffix),
    fixed("hello", &[], strings::hello),
    fixed("indent", &[Int, String], strings::indent),
    fixed("initials", &[String], words::initials),
    fixed("join", &[String, Any], strings::join),
    fixed("kebabcase", &[String], words::kebabcase),
    fixed("lower", &[String], strings::lower),
    fixed("nindent", &[Int, String], strings::nindent),
    fixed("nospace", &[String], words::nospace),
    fixed("plural", &[String, String, Int], strings::plural),
    many("quote", &[Any], strings::quote),
    fixed("repeat", &[Int, String], strings::repeat),
    fixed("replace", &[String, String, String], strings::replace),
    fixed("snakecase", &[String], words::snakecase),
    fixed("sortAlpha", &[Any], strings::sort_alpha),
    fixed("split", &[String, String], strings::split),
    fixed("splitList", &[String, String], strings::split_list),
    fixed("splitn", &[String, Int, String], strings::splitn),
    many("squote", &[Any], strings::squote),
    fixed("substr", &[Int, Int, String], strings::substr),
    fixed("swapcase", &[String], words::swapcase),
    fixed("title", &[String], words::title),
    fixed("toString", &[Any], strings::to_string),
    fixed("toStrings", &[Any], strings::to_strings),
    fixed("trim", &[String], strings::trim),
    fixed("trimAll", &[String, String], strings::trim_all),
    fixed("trimPrefix", &[String, String], strings::trim_prefix),
    fixed("trimSuffix", &[String, String], strings::trim_suffix),
    fixed("trimall", &[String, String], strings::trim_all),
    fixed("trunc", &[Int, String], strings::trunc),
    fixed("untitle", &[String], words::untitle),
    fixed("upper", &[String], strings::upper),
    fixed("wrap", &[Int, String], words::wrap),
    fixed("wrapWith", &[Int, String, String], words::wrap_with),
    // Random values.
    fixed("randAlpha", &[Int], random::rand_alpha),
    fixed("randAlphaNum", &[Int], random::rand_alpha_num),
    fixed("randAscii", &[Int], random::rand_ascii),
    fixed("randBytes", &[Int], random::rand_bytes),
    fixed("randInt", &[Int, Int], random::rand_int),
    fixed("randNumeric", &[Int], random::rand_numeric),
    fixed("shuffle", &[String], random::shuffle),
    fixed("uuidv4", &[], random::uuid_v4),
    // Numbers.
    many("add", &[Any], numbers::add),
    fixed("add1", &[Any], numbers::add1),
    fixed("add1f", &[Any], numbers::add1f),
    many("addf", &[Any], numbers::addf),
    fixed("atoi", &[String], numbers::atoi),
    many("biggest", &[Any, Any], numbers::max),
    fixed("ceil", &[Any], numbers::ceil),
    fixed("div", &[Any, Any], numbers::div),
    many("divf", &[Any, Any], numbers::divf),
    fixed("float64", &[Any], numbers::to_float_value),
    fixed("floor", &[Any], numbers::floor),
    fixed("int", &[Any], numbers::to_int_value),
    fixed("int64", &[Any], numbers::to_int64_value),
    many("max", &[Any, Any], numbers::max),
    many("maxf", &[Any, Any], numbers::maxf),
    many("min", &[Any, Any], numbers::min),
    many("minf", &[Any, Any], numbers::minf),
    fixed("mod", &[Any, Any], numbers::modulo),
    many("mul", &[Any, Any], numbers::mul),
    many("mulf", &[Any, Any], numbers::mulf),
    many("round", &[Any, Int, Float64], numbers::round),
    many("seq", &[Int], numbers::seq),
    fixed("sub", &[Any, Any], numbers::sub),
    many("subf", &[Any, Any], numbers::subf),
    fixed("toDecimal", &[Any], numbers::to_decimal),
    fixed("until", &[Int], numbers::until),
    fixed("untilStep", &[Int, Int, Int], numbers::until_step),
    // Lists.
    fixed("append", &[Any, Any], lists::push),
    fixed("chunk", &[Int, Any], lists::chunk),
    fixed("compact", &[Any], lists::compact),
    many("concat", &[Any], lists::concat),
    fixed("first", &[Any], lists::first),
    fixed("has", &[Any, Any], lists::has),
    fixed("initial", &[Any], lists::initial),
    fixed("last", &[Any], lists::last),
    many("list", &[Any], lists::list),
    fixed("mustAppend", &[Any, Any], lists::push),
    fixed("mustChunk", &[Int, Any], lists::chunk),
    fixed("mustCompact", &[Any], lists::compact),
    fixed("mustFirst", &[Any], lists::first),
    fixed("mustHas", &[Any, Any], lists::has),
    fixed("mustInitial", &[Any], lists::initial),
    fixed("mustLast", &[Any], lists::last),
    fixed("mustPrepend", &[Any, Any], lists::prepend),
    fixed("mustPush", &[Any, Any], lists::push),
    fixed("mustRest", &[Any], lists::rest),
    fixed("mustReverse", &[Any], lists::reverse),
    many("mustSlice", &[Any, Any], lists::slice),
    fixed("mustUniq", &[Any], lists::uniq),
    many("mustWithout", &[Any, Any], lists::without),
    fixed("prepend", &[Any, Any], lists::prepend),
    fixed("push", &[Any, Any], lists::push),
    fixed("rest", &[Any], lists::rest),
    fixed("reverse", &[Any], lists::reverse),
    many("slice", &[Any, Any], lists::slice),
    many("tuple", &[Any], lists::list),
    fixed("uniq", &[Any], lists::uniq),
    many("without", &[Any, Any], lists::without),
    // Maps.
    fixed("deepCopy", &[Any], dicts::deep_copy),
    many("dict", &[Any], dicts::dict),
    many("dig", &[Any], dicts::dig),
    fixed("get", &[Map, String], dicts::get),
    fixed("hasKey", &[Map, String], dicts::has_key),
    many("keys", &[Map], dicts::keys),
    many("merge", &[Map, Map], dicts::merge),
    many("mergeOverwrite", &[Map, Map], dicts::merge_overwrite),
    fixed("mustDeepCopy", &[Any], dicts::deep_copy),
    many("mustMerge", &[Map, Map], dicts::must_merge),
    many("mustMergeOverwrite", &[Map, Map], dicts::must_merge_overwrite),
    many("omit", &[Map, String], dicts::omit),
    many("pick", &[Map, String], dicts::pick),
    many("pluck", &[String, Map], dicts::pluck),
    fixed("set", &[Map, String, Any], dicts::set),
    fixed("unset", &[Map, String], dicts::unset),
    fixed("values", &[Map], dicts::values),
    // Choices and types.
    many("all", &[Any], logic::all),
    many("any", &[Any], logic::any),
    many("coalesce", &[Any], logic::coalesce),
    fixed("deepEqual", &[Any, Any], logic::deep_equal_values),
    many("default", &[Any, Any], logic::default),
    fixed("empty", &[Any], logic::empty),
    fixed("kindIs", &[String, Any], logic::kind_is),
    fixed("kindOf", &[Any], logic::kind_of),
    fixed("ternary", &[Any, Any, Bool], logic::ternary),
    fixed("typeIs", &[String, Any], logic::type_is),
    fixed("typeIsLike", &[String, Any], logic::type_is_like),
    fixed("typeOf", &[Any], logic::type_of),
    // Regular expressions.
    fixed("mustRegexFind", &[String, String], regexes::must_find),
    fixed("mustRegexFindAll", &[String, String, Int], regexes::must_find_all),
    fixed("mustRegexMatch", &[String, String], regexes::must_matches),
    fixed("mustRegexReplaceAll", &[String, String, String], regexes::must_replace_all),
    fixed(
        "mustRegexReplaceAllLiteral",
        &[String, String, String],
        regexes::must_replace_all_literal,
    ),
    fixed("mustRegexSplit", &[String, String, Int], regexes::must_split),
    fixed("regexFind", &[String, String], regexes::find),
    fixed("regexFindAll", &[String, String, Int], regexes::find_all),
    fixed("regexMatch", &[String, String], regexes::string_matches),
    fixed("regexQuoteMeta", &[String], regexes::quote_meta),
    fixed("regexReplaceAll", &[String, String, String], regexes::replace_all),
    fixed("regexReplaceAllLiteral", &[String, String, String], regexes::replace_all_literal),
    fixed("regexSplit", &[String, String, Int], regexes::split),
    // Encodings and hashes.
    fixed("adler32sum", &[String], encoding::adler32sum),
    fixed("b32dec", &[String], encoding::b32dec),
    fixed("b32enc", &[String], encoding::b32enc),
    fixed("b64dec", &[String], encoding::b64dec),
    fixed("b64enc", &[String], encoding::b64enc),
    fixed("sha1sum", &[String], encoding::sha1sum),
    fixed("sha256sum", &[String], encoding::sha256sum),
    fixed("sha512sum", &[String], encoding::sha512sum),
    // Formats.
    fixed("fromJson", &[String], formats::from_json),
    fixed("fromJsonArray", &[String], formats::from_json_array),
    fixed("fromToml", &[String], formats::from_toml),
    fixed("fromYaml", &[String], formats::from_yaml),
    fixed("fromYamlArray", &[String], formats::from_yaml_array),
    fixed("mustFromJson", &[String], formats::must_from_json),
    fixed("mustToJson", &[Any], formats::must_to_json),
    fixed("mustToPrettyJson", &[Any], formats::must_to_pretty_json),
    fixed("mustToRawJson", &[Any], formats::to_raw_json),
    fixed("mustToToml", &[Any], formats::must_to_toml),
    fixed("mustToYaml", &[Any], formats::must_to_yaml),
    fixed("toJson", &[Any], formats::to_json),
    fixed("toPrettyJson", &[Any], formats::to_pretty_json),
    fixed("toRawJson", &[Any], formats::to_raw_json),
    fixed("toToml", &[Any], formats::to_toml),
    fixed("toYaml", &[Any], formats::to_yaml),
    fixed("toYamlPretty", &[Any], formats::to_yaml_pretty),
    // URLs and paths.
    fixed("base", &[String], paths::base),
    fixed("clean", &[String], paths::clean),
    fixed("dir", &[String], paths::dir),
    fixed("ext", &[String], paths::ext),
    fixed("getHostByName", &[String], get_host_by_name),
    fixed("isAbs", &[String], paths::is_abs),
    fixed("osBase", &[String], paths::base),
    fixed("osClean", &[String], paths::clean),
    fixed("osDir", &[String], paths::dir),
    fixed("osExt", &[String], paths::ext),
    fixed("osIsAbs", &[String], paths::is_abs),
    fixed("urlJoin", &[Map], urls::url_join),
    fixed("urlParse", &[String], urls::url_parse),
    // Dates.
    fixed("ago", &[Any], time::ago),
    fixed("date", &[String, Any], time::date),
    fixed("dateInZone", &[String, Any, String], time::date_in_zone),
    fixed("dateModify", &[String, Named("time.Time")], time::date_modify),
    fixed("date_in_zone", &[String, Any, String], time::date_in_zone),
    fixed("date_modify", &[String, Named("time.Time")], time::date_modify),
    fixed("duration", &[Any], time::duration),
    fixed("durationRound", &[Any], time::duration_round),
    fixed("htmlDate", &[Any], time::html_date),
    fixed("htmlDateInZone", &[Any, String], time::html_date_in_zone),
    fixed("mustDateModify", &[String, Named("time.Time")], time::must_date_modify),
    fixed("mustToDate", &[String, String], time::must_to_date),
    fixed("must_date_modify", &[String, Named("time.Time")], time::must_date_modify),
    fixed("now", &[], time::now),
    fixed("toDate", &[String, String], time::to_date),
    fixed("unixEpoch", &[Named("time.Time")], time::unix_epoch),
    // Versions.
    fixed("semver", &[String], semver::semver),
    fixed("semverCompare", &[String, String], semver::semver_compare),
    // Keys, certificates, passwords.
    fixed("bcrypt", &[String], crypto::bcrypt),
    fixed("buildCustomCert", &[String, String], crypto::build_custom_cert),
    fixed("decryptAES", &[String, String], crypto::decrypt_aes),
    fixed("derivePassword", &[Uint32, String, String, String, String], crypto::derive_password),
    fixed("encryptAES", &[String, String], crypto::encrypt_aes),
    fixed("genCA", &[String, Int], crypto::gen_ca),
    fixed("genCAWithKey", &[String, Int, String], crypto::gen_ca_with_key),
    fixed("genPrivateKey", &[String], crypto::gen_private_key),
    fixed("genSelfSignedCert", &[String, List, List, Int], crypto::gen_self_signed_cert),
    fixed(
        "genSelfSignedCertWithKey",
        &[String, List, List, Int, String],
        crypto::gen_self_signed_cert_with_key,
    ),
    fixed(
        "genSignedCert",
        &[String, List, List, Int, Named("sprig.certificate")],
        crypto::gen_signed_cert,
    ),
    fixed(
        "genSignedCertWithKey",
        &[String, List, List, Int, Named("sprig.certificate"), String],
        crypto::gen_signed_cert_with_key,
    ),
    fixed("htpasswd", &[String, String], crypto::htpasswd),
];
