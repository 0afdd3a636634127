//! Known slips in projects, mended where the meaning is plain.

use crd::AppProject;

use crate::problem::Problem;

/// Takes blanks from around the patterns of a project's `sourceRepos`, which match nothing with
/// them, and says so.
pub fn mend_project(project: &mut AppProject) -> Vec<Problem> {
    let place = format!("project {}", project.metadata.name);
    let mut problems = Vec::new();
    for (at, pattern) in project.spec.source_repos.iter_mut().enumerate() {
        let trimmed = match pattern.trim().strip_prefix('!') {
            Some(denied) => format!("!{}", denied.trim()),
            None => pattern.trim().to_owned(),
        };
        if *pattern != trimmed {
            let key = format!("spec.sourceRepos[{at}]");
            let message = format!("has blanks around its pattern; `{trimmed}` holds");
            problems.push(Problem::other(&place, key, message));
            *pattern = trimmed;
        }
    }
    problems
}
