//! The table as a documentation page.

use super::audience::Audience;
use super::table::{SALES_REFUSALS, TABLE};
use std::fmt::Write as _;

/// The table in Markdown, with an explanation of its terms.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Who sees what\n\n\
         This page is generated from the table that the API, the event bus, messages and `leadctl` use.\n\
         Only compliance and operations see a member that the table does not name.\n\n\
         | audience | readers |\n| --- | --- |\n",
    );
    for to in [Audience::Everyone, Audience::Staff, Audience::Judges, Audience::MustKnow, Audience::Sealed] {
        _ = writeln!(page, "| {} | {} |", name(to), meaning(to));
    }
    page.push_str(
        "\nA commit is confidential if one of its entries belongs to compliance, is an erasure, or refuses something \
         that does not concern sales. The event bus never names a person who acted.\n\n\
         A refusal concerns sales if it refuses one of these, or a part of one: ",
    );
    let known: Vec<String> = SALES_REFUSALS.iter().map(|what| format!("`{what}`")).collect();
    page.push_str(&known.join(", "));
    page.push_str(".\n\n| subject | audience | members |\n| --- | --- | --- |\n");
    let mut rows: Vec<(&str, Audience, Vec<String>)> = Vec::new();
    for (of, to, members) in TABLE {
        let members = members.split_whitespace().map(|member| format!("`{member}`"));
        match rows.iter_mut().find(|(known, known_to, _)| known == of && known_to == to) {
            Some((_, _, known)) => known.extend(members),
            None => rows.push((of, *to, members.collect())),
        }
    }
    for (of, to, members) in rows {
        let members = if members.is_empty() { "has none".to_owned() } else { members.join(", ") };
        _ = writeln!(page, "| {of} | {} | {members} |", name(to));
    }
    page
}

fn name(to: Audience) -> &'static str {
    match to {
        Audience::Everyone => "everyone",
        Audience::Staff => "staff",
        Audience::Judges => "churn judges",
        Audience::MustKnow => "must know",
        Audience::Sealed => "sealed",
    }
}

fn meaning(to: Audience) -> &'static str {
    match to {
        Audience::Everyone => "every group that signs in, every recipient of a message, and the event bus",
        Audience::Staff => "every group that signs in and every recipient of a message; not the event bus",
        Audience::Judges => "customer success and operations, who see it decrypted",
        Audience::MustKnow => "compliance and operations, their channels, and holders of an export",
        Audience::Sealed => "nobody, because it is encrypted; compliance sees it in an open review",
    }
}
