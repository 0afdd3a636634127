//! Time zones.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Where a time is shown.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    Utc,
    /// The machine's; here it is UTC, too.
    Local,
    /// An offset with a name, which may be empty.
    Fixed {
        name: String,
        offset_s: i64,
    },
    /// A place of the tz database.
    Place(TimeZone),
}

impl Zone {
    /// `time.LoadLocation`; `None` for what is not in the database.
    pub(crate) fn load(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" => return Some(Zone::Utc),
            "Local" => return Some(Zone::Local),
            _ => {}
        }
        // The database is case-sensitive in Go, as file names are.
        let place = TimeZone::get(name).ok()?;
        (place.iana_name() == Some(name)).then_some(Zone::Place(place))
    }

    /// Seconds east of UTC at a time, and what the zone is called then.
    pub(super) fn at(&self, unix_s: i64) -> (i64, String) {
        match self {
            Zone::Utc | Zone::Local => (0, "UTC".to_owned()),
            Zone::Fixed { name, offset_s } => (*offset_s, name.clone()),
            Zone::Place(place) => {
                let bounded = unix_s.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
                let at = Timestamp::from_second(bounded).expect("it was made to fit");
                let info = place.to_offset_info(at);
                (i64::from(info.offset().seconds()), info.abbreviation().to_owned())
            }
        }
    }

    /// What `Location` prints.
    pub(super) fn name(&self) -> &str {
        match self {
            Zone::Utc => "UTC",
            Zone::Local => "Local",
            Zone::Fixed { name, .. } => name,
            Zone::Place(place) => place.iana_name().unwrap_or_default(),
        }
    }
}
