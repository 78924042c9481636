//! The routes of the API, as the deployment's template has them.

use super::root;

/// The route that takes a request.
pub fn of(method: &str, path: &str) -> Result<String, String> {
    let template = std::fs::read_to_string(root().join("template.yaml")).expect("the template can be read");
    let path = path.split('?').next().unwrap_or(path);
    template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("RouteKey: "))
        .find(|route| route.split_once(' ').is_some_and(|(of, pattern)| of == method && takes(pattern, path)))
        .map(str::to_owned)
        .ok_or_else(|| format!("no route takes `{method} {path}`"))
}

fn takes(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern.iter().zip(path).all(|(of, part)| *of == part || (of.starts_with('{') && !part.is_empty()))
}
