//! The log's format: one line an event, in JSON or in text, as upstream's readers expect it.
//!
//! `time`, `level` and `msg` come first, then the fields of the event, then those of the spans
//! around it, the nearest first; a name that is there already is not written again.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::layout::time_text;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line. Upstream's default.
    #[default]
    Json,
    /// `time="…" level=info msg="…" key=value`.
    Text,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// How a line looks.
    pub format: LogFormat,
    /// `trace`, `debug`, `info`, `warn` or `error`; or directives as in `info,cluster=debug`.
    pub level: String,
    /// How the time is written, as a layout of Go's; `""` is RFC 3339, to the second.
    pub time_layout: String,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { format: LogFormat::Json, level: "info".to_owned(), time_layout: String::new() }
    }
}

/// Why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is none.
    #[error("`{level}` is no log level; there are trace, debug, info, warn and error")]
    Level {
        /// As it was given.
        level: String,
    },
    /// The process has a log already.
    #[error("the log is set up already")]
    Already,
}

/// The log of the process, to change it later.
#[derive(Clone)]
pub struct Log {
    filter: reload::Handle<EnvFilter, tracing_subscriber::Registry>,
    options: Arc<RwLock<LogOptions>>,
}

impl Log {
    /// How it is now.
    pub fn options(&self) -> LogOptions {
        self.options.read().clone()
    }

    /// Changes how and what is logged, from the next line on.
    ///
    /// # Errors
    ///
    /// [`LogError::Level`] where the level is none; nothing is changed then.
    pub fn set(&self, options: LogOptions) -> Result<(), LogError> {
        let level = options.level.clone();
        if self.options.read().level != level {
            let filter = filter(&level)?;
            self.filter.reload(filter).map_err(|_| LogError::Level { level })?;
        }
        *self.options.write() = options;
        Ok(())
    }
}

/// Sets up the log of the process, on standard error.
///
/// # Errors
///
/// [`LogError`] where the level is none, or a log is there already.
pub fn init_log(options: &LogOptions) -> Result<Log, LogError> {
    let (filter, handle) = reload::Layer::new(filter(&options.level)?);
    let options = Arc::new(RwLock::new(options.clone()));
    let lines = Lines { options: options.clone(), out: Arc::new(StandardError) };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .map_err(|_| LogError::Already)?;
    Ok(Log { filter: handle, options })
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let wrong = || LogError::Level { level: level.to_owned() };
    // Upstream's names for what tracing calls otherwise.
    let directives = match level.trim().to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "fatal" | "panic" => "error".to_owned(),
        "" => "info".to_owned(),
        _ => level.to_owned(),
    };
    let plain = !directives.contains(['=', ',']);
    if plain && directives.parse::<Level>().is_err() && directives != "off" {
        return Err(wrong());
    }
    // What others log of their own is no unit of our work.
    let quiet = "hyper=warn,hyper_util=warn,h2=warn,rustls=warn,tower=warn,kube=warn,\
                 kube_client=warn,gix=warn,reqwest=warn,russh=warn";
    let all = if plain { format!("{directives},{quiet}") } else { directives };
    EnvFilter::try_new(all).map_err(|_| wrong())
}

/// Where lines go.
pub(crate) trait Out: Send + Sync {
    /// Writes one line, its end included.
    fn line(&self, line: &str);
}

struct StandardError;

impl Out for StandardError {
    fn line(&self, line: &str) {
        // Nobody is left to tell when standard error is gone.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

impl Out for Mutex<String> {
    fn line(&self, line: &str) {
        self.lock().push_str(line);
    }
}

/// Writes each event as a line.
pub(crate) struct Lines {
    pub(crate) options: Arc<RwLock<LogOptions>>,
    pub(crate) out: Arc<dyn Out>,
}

/// A span's fields, kept with it.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.0.iter().position(|(name, _)| *name == "message");
        let message = message.map_or(Value::Null, |at| fields.0.remove(at).1);
        let options = self.options.read();
        let mut all: Vec<(String, Value)> = vec![
            ("time".to_owned(), time_text(Timestamp::now(), &options.time_layout).into()),
            ("level".to_owned(), level_word(*event.metadata().level()).into()),
            ("msg".to_owned(), message),
        ];
        add(&mut all, &fields.0);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                add(&mut all, &fields.0);
            }
        }
        self.out.line(&match options.format {
            LogFormat::Json => json_line(all),
            LogFormat::Text => text_line(&all),
        });
    }
}

fn add(all: &mut Vec<(String, Value)>, fields: &[(&'static str, Value)]) {
    for (name, value) in fields {
        if all.iter().all(|(known, _)| known != name) {
            all.push(((*name).to_owned(), value.clone()));
        }
    }
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn json_line(fields: Vec<(String, Value)>) -> String {
    let fields: Map<String, Value> = fields.into_iter().collect();
    let mut line = Value::Object(fields).to_string();
    line.push('\n');
    line
}

fn text_line(fields: &[(String, Value)]) -> String {
    let mut line = String::new();
    for (name, value) in fields {
        if !line.is_empty() {
            line.push(' ');
        }
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // Writing into a String cannot fail.
        let _ = match needs_quotes(&text) {
            true => write!(line, "{name}={text:?}"),
            false => write!(line, "{name}={text}"),
        };
    }
    line.push('\n');
    line
}

/// Whether a value stands in quotes: upstream's log leaves them out around these letters.
fn needs_quotes(text: &str) -> bool {
    !text.chars().all(|c| c.is_ascii_alphanumeric() || "-._/@^+".contains(c))
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    /// The error, and each cause behind it that it does not say itself.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(inner) = cause {
            let said = inner.to_string();
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = inner.source();
        }
        self.set(field, text.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}").into());
    }
}

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        let name = field.name();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => self.0.push((name, value)),
        }
    }
}
