//! Where an ApplicationSet's parameters come from.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::appset::ApplicationSetTemplate;
use crate::shape::shape;
use crate::values::LabelSelector;

shape! {
    /// One generator; exactly one field but `selector` is set.
    pub struct ApplicationSetGenerator {
        /// Parameters that stand here.
        list: Option<Box<ListGenerator>> = "list",
        /// One set of parameters a cluster.
        clusters: Option<Box<ClusterGenerator>> = "clusters",
        /// One set a folder or file of a repository.
        git: Option<Box<GitGenerator>> = "git",
        /// One set a repository of an organisation.
        scm_provider: Option<Box<ScmProviderGenerator>> = "scmProvider",
        /// One set a cluster that another controller chose.
        cluster_decision_resource: Option<Box<DuckTypeGenerator>> = "clusterDecisionResource",
        /// One set an open pull request.
        pull_request: Option<Box<PullRequestGenerator>> = "pullRequest",
        /// Every pair of what two generators give.
        matrix: Option<Box<MatrixGenerator>> = "matrix",
        /// What several generators give, joined by keys.
        merge: Option<Box<MergeGenerator>> = "merge",
        /// Leaves out sets of parameters that do not match.
        selector: Option<LabelSelector> = "selector"
            { "x-kubernetes-map-type": "atomic" },
        /// What a service answers.
        plugin: Option<Box<PluginGenerator>> = "plugin",
    }
}

shape! {
    /// A generator inside `matrix` or `merge`.
    pub struct ApplicationSetNestedGenerator {
        /// Parameters that stand here.
        list: Option<Box<ListGenerator>> = "list",
        /// One set of parameters a cluster.
        clusters: Option<Box<ClusterGenerator>> = "clusters",
        /// One set a folder or file of a repository.
        git: Option<Box<GitGenerator>> = "git",
        /// One set a repository of an organisation.
        scm_provider: Option<Box<ScmProviderGenerator>> = "scmProvider",
        /// One set a cluster that another controller chose.
        cluster_decision_resource: Option<Box<DuckTypeGenerator>> = "clusterDecisionResource",
        /// One set an open pull request.
        pull_request: Option<Box<PullRequestGenerator>> = "pullRequest",
        /// A matrix inside; it holds no further `matrix` or `merge`.
        matrix: Option<Value> = "matrix",
        /// A merge inside; it holds no further `matrix` or `merge`.
        merge: Option<Value> = "merge",
        /// Leaves out sets of parameters that do not match.
        selector: Option<LabelSelector> = "selector"
            { "x-kubernetes-map-type": "atomic" },
        /// What a service answers.
        plugin: Option<Box<PluginGenerator>> = "plugin",
    }
}

shape! {
    /// Parameters that stand here.
    pub struct ListGenerator {
        /// One set of parameters each.
        elements: Vec<Value> = "elements",
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
        /// Further sets, as one YAML text.
        elements_yaml: String = "elementsYaml",
    }
}

shape! {
    /// One set of parameters a cluster.
    pub struct ClusterGenerator {
        /// Which cluster secrets.
        selector: LabelSelector = "selector" { "x-kubernetes-map-type": "atomic" },
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
        /// Further parameters, themselves templates.
        values: BTreeMap<String, String> = "values",
        /// Whether all clusters make one set, as a list.
        flat_list: bool = "flatList",
    }
}

shape! {
    /// One set of parameters a folder or file of a repository.
    pub struct GitGenerator {
        /// URL of the repository.
        repo_url: String = "repoURL" required,
        /// Globs over folders.
        directories: Vec<GitDirectoryGeneratorItem> = "directories",
        /// Globs over files.
        files: Vec<GitFileGeneratorItem> = "files",
        /// Branch, tag or commit.
        revision: String = "revision" required,
        /// Seconds between two looks.
        requeue_after_seconds: Option<i64> = "requeueAfterSeconds",
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
        /// Put before the names of path parameters.
        path_param_prefix: String = "pathParamPrefix",
        /// Further parameters, themselves templates.
        values: BTreeMap<String, String> = "values",
    }
}

shape! {
    /// A glob over folders.
    pub struct GitDirectoryGeneratorItem {
        /// The glob.
        path: String = "path" required,
        /// Whether what matches is left out.
        exclude: bool = "exclude",
    }
}

shape! {
    /// A glob over files.
    pub struct GitFileGeneratorItem {
        /// The glob.
        path: String = "path" required,
        /// Whether what matches is left out.
        exclude: bool = "exclude",
    }
}

shape! {
    /// One set of parameters a cluster that another controller chose.
    pub struct DuckTypeGenerator {
        /// ConfigMap that says which kind to read and how.
        config_map_ref: String = "configMapRef" required,
        /// Name of the object.
        name: String = "name",
        /// Seconds between two looks.
        requeue_after_seconds: Option<i64> = "requeueAfterSeconds",
        /// Labels of the object.
        label_selector: LabelSelector = "labelSelector" { "x-kubernetes-map-type": "atomic" },
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
        /// Further parameters, themselves templates.
        values: BTreeMap<String, String> = "values",
    }
}

shape! {
    /// Every pair of what two generators give.
    pub struct MatrixGenerator {
        /// Two generators.
        generators: Vec<ApplicationSetNestedGenerator> = "generators" required,
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
    }
}

shape! {
    /// What several generators give, joined by keys.
    pub struct MergeGenerator {
        /// Two or more generators; later ones win.
        generators: Vec<ApplicationSetNestedGenerator> = "generators" required,
        /// Parameters that must be equal.
        merge_keys: Vec<String> = "mergeKeys" required,
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
    }
}

shape! {
    /// What a service answers.
    pub struct PluginGenerator {
        /// ConfigMap that names the service and its token.
        config_map_ref: PluginConfigMapRef = "configMapRef" required,
        /// What the service is told.
        input: PluginInput = "input",
        /// Seconds between two looks.
        requeue_after_seconds: Option<i64> = "requeueAfterSeconds",
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
        /// Further parameters, themselves templates.
        values: BTreeMap<String, String> = "values",
    }
}

shape! {
    /// The ConfigMap of a plugin.
    pub struct PluginConfigMapRef {
        /// Its name.
        name: String = "name" required,
    }
}

shape! {
    /// What a plugin is told.
    pub struct PluginInput {
        /// Anything, by name.
        parameters: BTreeMap<String, Value> = "parameters",
    }
}

shape! {
    /// A key of a Secret.
    pub struct SecretRef {
        /// The Secret's name.
        secret_name: String = "secretName" required,
        /// The key.
        key: String = "key" required,
    }
}

shape! {
    /// A key of a ConfigMap.
    pub struct ConfigMapKeyRef {
        /// The ConfigMap's name.
        config_map_name: String = "configMapName" required,
        /// The key.
        key: String = "key" required,
    }
}

shape! {
    /// Name and password for a Bitbucket server.
    pub struct BasicAuthBitbucketServer {
        /// Name.
        username: String = "username" required,
        /// Where the password stands.
        password_ref: Option<SecretRef> = "passwordRef" required,
    }
}

shape! {
    /// A token for Bitbucket.
    pub struct BearerTokenBitbucket {
        /// Where the token stands.
        token_ref: Option<SecretRef> = "tokenRef" required,
    }
}

shape! {
    /// One set of parameters a repository of an organisation.
    pub struct ScmProviderGenerator {
        /// GitHub.
        github: Option<ScmProviderGeneratorGithub> = "github",
        /// GitLab.
        gitlab: Option<ScmProviderGeneratorGitlab> = "gitlab",
        /// Bitbucket Cloud.
        bitbucket: Option<ScmProviderGeneratorBitbucket> = "bitbucket",
        /// Bitbucket Server.
        bitbucket_server: Option<ScmProviderGeneratorBitbucketServer> = "bitbucketServer",
        /// Gitea.
        gitea: Option<ScmProviderGeneratorGitea> = "gitea",
        /// Azure DevOps.
        azure_dev_ops: Option<ScmProviderGeneratorAzureDevOps> = "azureDevOps",
        /// A repository must match one of these.
        filters: Vec<ScmProviderGeneratorFilter> = "filters",
        /// `ssh` or `https`.
        clone_protocol: String = "cloneProtocol",
        /// Seconds between two looks.
        requeue_after_seconds: Option<i64> = "requeueAfterSeconds",
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
        /// Further parameters, themselves templates.
        values: BTreeMap<String, String> = "values",
        /// AWS CodeCommit.
        aws_code_commit: Option<ScmProviderGeneratorAwsCodeCommit> = "awsCodeCommit",
    }
}

shape! {
    /// Repositories of Gitea.
    pub struct ScmProviderGeneratorGitea {
        /// Person or organisation.
        owner: String = "owner" required,
        /// URL of the API.
        api: String = "api" required,
        /// Where the token stands.
        token_ref: Option<SecretRef> = "tokenRef",
        /// Whether every branch counts; otherwise the default one.
        all_branches: bool = "allBranches",
        /// Whether the server's certificate is not checked.
        insecure: bool = "insecure",
        /// Whether archived repositories are left out.
        exclude_archived_repos: bool = "excludeArchivedRepos",
    }
}

shape! {
    /// Repositories of GitHub.
    pub struct ScmProviderGeneratorGithub {
        /// Organisation.
        organization: String = "organization" required,
        /// URL of the API; the public one where empty.
        api: String = "api",
        /// Where the token stands.
        token_ref: Option<SecretRef> = "tokenRef",
        /// Repository secret that holds a GitHub App.
        app_secret_name: String = "appSecretName",
        /// Whether every branch counts; otherwise the default one.
        all_branches: bool = "allBranches",
        /// Whether archived repositories are left out.
        exclude_archived_repos: bool = "excludeArchivedRepos",
    }
}

shape! {
    /// Repositories of GitLab.
    pub struct ScmProviderGeneratorGitlab {
        /// Group, by path or number.
        group: String = "group" required,
        /// Whether groups below count.
        include_subgroups: bool = "includeSubgroups",
        /// URL of the API; the public one where empty.
        api: String = "api",
        /// Where the token stands.
        token_ref: Option<SecretRef> = "tokenRef",
        /// Whether every branch counts; otherwise the default one.
        all_branches: bool = "allBranches",
        /// Whether the server's certificate is not checked.
        insecure: bool = "insecure",
        /// Whether shared projects count; yes where absent.
        include_shared_projects: Option<bool> = "includeSharedProjects",
        /// Only projects with this topic.
        topic: String = "topic",
        /// Certificates to trust.
        ca_ref: Option<ConfigMapKeyRef> = "caRef",
        /// Whether archived projects count.
        include_archived_repos: bool = "includeArchivedRepos",
    }
}

shape! {
    /// Repositories of Bitbucket Cloud.
    pub struct ScmProviderGeneratorBitbucket {
        /// Workspace.
        owner: String = "owner" required,
        /// Name to log in with.
        user: String = "user" required,
        /// Where the password stands.
        app_password_ref: Option<SecretRef> = "appPasswordRef" required,
        /// Whether every branch counts; otherwise the default one.
        all_branches: bool = "allBranches",
    }
}

shape! {
    /// Repositories of Bitbucket Server.
    pub struct ScmProviderGeneratorBitbucketServer {
        /// Project.
        project: String = "project" required,
        /// URL of the API.
        api: String = "api" required,
        /// Name and password.
        basic_auth: Option<BasicAuthBitbucketServer> = "basicAuth",
        /// Whether every branch counts; otherwise the default one.
        all_branches: bool = "allBranches",
        /// Token.
        bearer_token: Option<BearerTokenBitbucket> = "bearerToken",
        /// Whether the server's certificate is not checked.
        insecure: bool = "insecure",
        /// Certificates to trust.
        ca_ref: Option<ConfigMapKeyRef> = "caRef",
    }
}

shape! {
    /// Repositories of Azure DevOps.
    pub struct ScmProviderGeneratorAzureDevOps {
        /// Organisation.
        organization: String = "organization" required,
        /// URL of the API; the public one where empty.
        api: String = "api",
        /// Project.
        team_project: String = "teamProject" required,
        /// Where the token stands.
        access_token_ref: Option<SecretRef> = "accessTokenRef" required,
        /// Whether every branch counts; otherwise the default one.
        all_branches: bool = "allBranches",
    }
}

shape! {
    /// Repositories of AWS CodeCommit.
    pub struct ScmProviderGeneratorAwsCodeCommit {
        /// A repository must carry all of these tags.
        tag_filters: Vec<TagFilter> = "tagFilters",
        /// Role to assume.
        role: String = "role",
        /// Region; the environment's where empty.
        region: String = "region",
        /// Whether every branch counts; otherwise the default one.
        all_branches: bool = "allBranches",
    }
}

shape! {
    /// A tag of an AWS resource.
    pub struct TagFilter {
        /// Name.
        key: String = "key" required,
        /// Value; any where empty.
        value: String = "value",
    }
}

shape! {
    /// Which repositories; all demands must hold, each a regular expression.
    pub struct ScmProviderGeneratorFilter {
        /// On the repository's name.
        repository_match: Option<String> = "repositoryMatch",
        /// Paths that must be there.
        paths_exist: Vec<String> = "pathsExist",
        /// Paths that must not be there.
        paths_do_not_exist: Vec<String> = "pathsDoNotExist",
        /// On one of its labels.
        label_match: Option<String> = "labelMatch",
        /// On the branch.
        branch_match: Option<String> = "branchMatch",
    }
}

shape! {
    /// One set of parameters an open pull request.
    pub struct PullRequestGenerator {
        /// GitHub.
        github: Option<PullRequestGeneratorGithub> = "github",
        /// GitLab.
        gitlab: Option<PullRequestGeneratorGitlab> = "gitlab",
        /// Gitea.
        gitea: Option<PullRequestGeneratorGitea> = "gitea",
        /// Bitbucket Server.
        bitbucket_server: Option<PullRequestGeneratorBitbucketServer> = "bitbucketServer",
        /// A pull request must match one of these.
        filters: Vec<PullRequestGeneratorFilter> = "filters",
        /// Seconds between two looks.
        requeue_after_seconds: Option<i64> = "requeueAfterSeconds",
        /// Merged into the ApplicationSet's template.
        template: ApplicationSetTemplate = "template",
        /// Bitbucket Cloud.
        bitbucket: Option<PullRequestGeneratorBitbucket> = "bitbucket",
        /// Azure DevOps.
        azuredevops: Option<PullRequestGeneratorAzureDevOps> = "azuredevops",
        /// Further parameters, themselves templates.
        values: BTreeMap<String, String> = "values",
        /// Whether a repository that does not exist has no pull requests; otherwise it is an error.
        continue_on_repo_not_found_error: bool = "continueOnRepoNotFoundError",
    }
}

shape! {
    /// Pull requests of Gitea.
    pub struct PullRequestGeneratorGitea {
        /// Person or organisation.
        owner: String = "owner" required,
        /// Repository.
        repo: String = "repo" required,
        /// URL of the API.
        api: String = "api" required,
        /// Where the token stands.
        token_ref: Option<SecretRef> = "tokenRef",
        /// Whether the server's certificate is not checked.
        insecure: bool = "insecure",
        /// Labels that a pull request must carry.
        labels: Vec<String> = "labels",
    }
}

shape! {
    /// Pull requests of Azure DevOps.
    pub struct PullRequestGeneratorAzureDevOps {
        /// Organisation.
        organization: String = "organization" required,
        /// Project.
        project: String = "project" required,
        /// Repository.
        repo: String = "repo" required,
        /// URL of the API; the public one where empty.
        api: String = "api",
        /// Where the token stands.
        token_ref: Option<SecretRef> = "tokenRef",
        /// Labels that a pull request must carry.
        labels: Vec<String> = "labels",
    }
}

shape! {
    /// Pull requests of GitHub.
    pub struct PullRequestGeneratorGithub {
        /// Person or organisation.
        owner: String = "owner" required,
        /// Repository.
        repo: String = "repo" required,
        /// URL of the API; the public one where empty.
        api: String = "api",
        /// Where the token stands.
        token_ref: Option<SecretRef> = "tokenRef",
        /// Repository secret that holds a GitHub App.
        app_secret_name: String = "appSecretName",
        /// Labels that a pull request must carry.
        labels: Vec<String> = "labels",
    }
}

shape! {
    /// Merge requests of GitLab.
    pub struct PullRequestGeneratorGitlab {
        /// Project, by path or number.
        project: String = "project" required,
        /// URL of the API; the public one where empty.
        api: String = "api",
        /// Where the token stands.
        token_ref: Option<SecretRef> = "tokenRef",
        /// Labels that a merge request must carry.
        labels: Vec<String> = "labels",
        /// `opened`, `closed`, `merged` or `locked`; all where empty.
        pull_request_state: String = "pullRequestState",
        /// Whether the server's certificate is not checked.
        insecure: bool = "insecure",
        /// Certificates to trust.
        ca_ref: Option<ConfigMapKeyRef> = "caRef",
    }
}

shape! {
    /// Pull requests of Bitbucket Server.
    pub struct PullRequestGeneratorBitbucketServer {
        /// Project.
        project: String = "project" required,
        /// Repository.
        repo: String = "repo" required,
        /// URL of the API.
        api: String = "api" required,
        /// Name and password.
        basic_auth: Option<BasicAuthBitbucketServer> = "basicAuth",
        /// Token.
        bearer_token: Option<BearerTokenBitbucket> = "bearerToken",
        /// Whether the server's certificate is not checked.
        insecure: bool = "insecure",
        /// Certificates to trust.
        ca_ref: Option<ConfigMapKeyRef> = "caRef",
    }
}

shape! {
    /// Pull requests of Bitbucket Cloud.
    pub struct PullRequestGeneratorBitbucket {
        /// Workspace.
        owner: String = "owner" required,
        /// Repository.
        repo: String = "repo" required,
        /// URL of the API; the public one where empty.
        api: String = "api",
        /// Name and password.
        basic_auth: Option<BasicAuthBitbucketServer> = "basicAuth",
        /// Token.
        bearer_token: Option<BearerTokenBitbucket> = "bearerToken",
    }
}

shape! {
    /// Which pull requests; all demands must hold, each a regular expression.
    pub struct PullRequestGeneratorFilter {
        /// On the branch.
        branch_match: Option<String> = "branchMatch",
        /// On the branch that it is meant for.
        target_branch_match: Option<String> = "targetBranchMatch",
        /// On the title.
        title_match: Option<String> = "titleMatch",
    }
}
