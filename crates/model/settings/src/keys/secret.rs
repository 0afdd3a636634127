//! Secret `argocd-secret`. Other keys may stand there too, for settings to refer to as `$key`.

use crate::key::Kind::{Text, Yaml};
use crate::key::{Key, Kind, Place};

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key::new(Place::Secret, name, kind, "", doc).later()
}

pub(super) const KEYS: &[Key] = &[
    key("server.secretkey", Text, "Signs tokens; made at the first start."),
    key("admin.password", Text, "The admin's password as bcrypt hash."),
    key("admin.passwordMtime", Text, "When the admin's password changed; older sessions end."),
    key("admin.tokens", Yaml, "The admin's API tokens."),
    key("accounts.<name>.password", Text, "An account's password as bcrypt hash."),
    key("accounts.<name>.passwordMtime", Text, "When an account's password changed."),
    key("accounts.<name>.tokens", Yaml, "An account's API tokens."),
    key("tls.crt", Text, "Certificate of the API server."),
    key("tls.key", Text, "Key of that certificate."),
    key("webhook.github.secret", Text, "Secret of GitHub's webhooks."),
    key("webhook.gitlab.secret", Text, "Secret of GitLab's webhooks."),
    key("webhook.bitbucket.uuid", Text, "UUID of Bitbucket Cloud's webhooks."),
    key("webhook.bitbucketserver.secret", Text, "Secret of Bitbucket Server's webhooks."),
    key("webhook.gogs.secret", Text, "Secret of Gogs' and Gitea's webhooks."),
    key("webhook.harbor.secret", Text, "Secret of Harbor's webhooks."),
    key("webhook.azuredevops.username", Text, "User name of Azure DevOps' webhooks."),
    key("webhook.azuredevops.password", Text, "Password of Azure DevOps' webhooks."),
];
