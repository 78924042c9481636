//! What makes the policy's own words sound: every message is one of its workflow, and every
//! placeholder is one that the message can have.

use crate::document::{Problems, hint};
use crate::policy::content::{Template, Templates};
use crate::vocabulary::{Message, WorkflowId};
use crate::wording::{Placeholder, TEXT_CHARS_MAX, TITLE_CHARS_MAX, TemplateSegment, parse_template};

pub(super) fn check(problems: &mut Problems, workflow: WorkflowId, templates: &Templates) {
    for (message, template) in templates {
        let at = format!("workflows.{workflow}.messages.{}", message.as_str());
        match message.workflow() {
            Some(own) if own == workflow => {}
            Some(own) => {
                problems.add(&at, format!("belongs to `{own}`; move it to `workflows.{own}.messages`"))
            }
            None => {
                problems.add(&at, "belongs to no workflow and cannot be reworded; remove it");
                continue;
            }
        }
        check_template(problems, &at, *message, template);
    }
}

fn check_template(problems: &mut Problems, at: &str, message: Message, template: &Template) {
    if template.title.is_none() && template.text.is_none() {
        problems.add(at, "is empty; write a `title`, a `text`, or both");
    }
    if let Some(title) = &template.title {
        let at = format!("{at}.title");
        check_text(problems, &at, message, title, TITLE_CHARS_MAX);
        if title.contains(['\n', '\r']) {
            problems.add(at, "has more than one line; write it on one line");
        }
    }
    if let Some(text) = &template.text {
        check_text(problems, &format!("{at}.text"), message, text, TEXT_CHARS_MAX);
    }
}

fn check_text(problems: &mut Problems, at: &str, message: Message, text: &str, chars_max: usize) {
    let length = text.chars().count();
    if text.trim().is_empty() {
        problems.add(at, "is empty; write it, or remove it to use Leadwatch's own wording");
    }
    if length > chars_max {
        problems.add(at, format!("has {length} characters; write at most {chars_max}"));
    }
    match parse_template(text) {
        Err(errors) => {
            for error in errors {
                problems.add(at, error.to_string());
            }
        }
        Ok(pieces) => {
            let known = Placeholder::of(message);
            let strange = pieces.iter().filter_map(|piece| match piece {
                TemplateSegment::Value(placeholder) if !known.contains(placeholder) => Some(placeholder),
                _ => None,
            });
            for placeholder in strange {
                let names: Vec<&str> = known.iter().map(|known| known.as_str()).collect();
                let said = format!(
                    "`{placeholder}` is not available in a `{}` message; {}",
                    message.as_str(),
                    hint(placeholder.as_str(), &names)
                );
                problems.add(at, said);
            }
        }
    }
}
