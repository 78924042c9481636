//! As much of a shell as the examples use: words, quotes, comments, `&&`, `$(…)` and lines that go on.

/// The words of every command in a block, those inside `$(…)` first.
pub fn commands(block: &str) -> Result<Vec<Vec<String>>, String> {
    let mut commands = Vec::new();
    for line in block.replace("\\\n", " ").lines() {
        let mut line = line.to_owned();
        while let Some((before, rest)) = line.split_once("$(") {
            let (inner, after) = rest.split_once(')').ok_or("`$(` has no end")?;
            commands.push(words(inner)?);
            line = format!("{before}RESULT{after}");
        }
        commands.extend(words(&line)?.split(|word| word == "&&").map(<[String]>::to_vec));
    }
    commands.retain(|words| !words.is_empty());
    Ok(commands)
}

fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = quote {
        return Err(format!("{quote} has no end"));
    }
    words.extend(word);
    Ok(words)
}
