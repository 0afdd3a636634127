//! The messages, field for field as upstream's `plugin.proto` numbers them.

/// One message of a stream: first the metadata, then the archive in pieces.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AppStreamRequest {
    /// Which of both.
    #[prost(oneof = "Part", tags = "1, 2")]
    pub request: Option<Part>,
}

/// What a message of a stream holds.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Part {
    /// What is sent.
    #[prost(message, tag = "1")]
    Metadata(ManifestRequestMetadata),
    /// A piece of it.
    #[prost(message, tag = "2")]
    File(File),
}

/// What is sent.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ManifestRequestMetadata {
    /// The Application's name.
    #[prost(string, tag = "1")]
    pub app_name: String,
    /// Its path, from the archive's root.
    #[prost(string, tag = "2")]
    pub app_rel_path: String,
    /// SHA-256 of the archive, in hexadecimal.
    #[prost(string, tag = "3")]
    pub checksum: String,
    /// Bytes of the archive.
    #[prost(int64, tag = "4")]
    pub size: i64,
    /// Variables of the commands' environment.
    #[prost(message, repeated, tag = "5")]
    pub env: Vec<EnvEntry>,
}

/// A variable.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct EnvEntry {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A piece of the archive.
#[derive(Clone, PartialEq, prost::Message)]
pub struct File {
    /// The piece.
    #[prost(bytes = "bytes", tag = "1")]
    pub chunk: bytes::Bytes,
}

/// What was generated.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ManifestResponse {
    /// YAML or JSON, a document each.
    #[prost(string, repeated, tag = "1")]
    pub manifests: Vec<String>,
    /// What the plugin calls it.
    #[prost(string, tag = "2")]
    pub source_type: String,
}

/// Whether the plugin is for these files.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct RepositoryResponse {
    /// Whether it is.
    #[prost(bool, tag = "1")]
    pub is_supported: bool,
    /// Whether it can find out at all.
    #[prost(bool, tag = "2")]
    pub is_discovery_enabled: bool,
}

/// How the plugin is configured.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct CheckPluginConfigurationResponse {
    /// Whether it can find out which files are for it.
    #[prost(bool, tag = "1")]
    pub is_discovery_configured: bool,
    /// Whether it wants to reach the repository itself.
    #[prost(bool, tag = "2")]
    pub provide_git_creds: bool,
}

/// The parameters that the plugin takes.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ParametersAnnouncementResponse {
    /// One each.
    #[prost(message, repeated, tag = "1")]
    pub parameter_announcements: Vec<ParameterAnnouncement>,
}

/// A parameter that a plugin takes.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ParameterAnnouncement {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// For people.
    #[prost(string, tag = "2")]
    pub title: String,
    /// For people who ask.
    #[prost(string, tag = "3")]
    pub tooltip: String,
    /// Whether it must be given.
    #[prost(bool, tag = "4")]
    pub required: bool,
    /// `string`, `number` or `boolean`.
    #[prost(string, tag = "5")]
    pub item_type: String,
    /// `string`, `array` or `map`.
    #[prost(string, tag = "6")]
    pub collection_type: String,
    /// The default of a text.
    #[prost(string, tag = "7")]
    pub string: String,
    /// The default of a list.
    #[prost(string, repeated, tag = "8")]
    pub array: Vec<String>,
    /// The default of a map.
    #[prost(btree_map = "string, string", tag = "9")]
    pub map: std::collections::BTreeMap<String, String>,
}

/// Nothing.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Empty {}

/// Paths of the service's calls.
pub mod path {
    /// Files to manifests.
    pub const GENERATE: &str = "/plugin.ConfigManagementPluginService/GenerateManifest";
    /// Is it for these files?
    pub const MATCH: &str = "/plugin.ConfigManagementPluginService/MatchRepository";
    /// Which parameters does it take?
    pub const PARAMETERS: &str = "/plugin.ConfigManagementPluginService/GetParametersAnnouncement";
    /// How is it configured?
    pub const CHECK: &str = "/plugin.ConfigManagementPluginService/CheckPluginConfiguration";
}
