//! Quiet hours that leave a single minute of the day, wherever a document has them.

use policy::measure::TimeOfDay;

/// The warning about quiet hours that cover all but one minute of the day. The policy itself refuses hours
/// that cover the whole day.
pub(super) fn all_but_one_minute(from: TimeOfDay, to: TimeOfDay) -> Option<String> {
    let minutes = |time: TimeOfDay| time.hour() * 60 + time.minute();
    let is_next_minute = (minutes(to) + 1) % (24 * 60) == minutes(from);
    is_next_minute.then(|| {
        format!(
            "`{from}` to `{to}` is quiet all day except one minute, when everyone is notified at once; end them when \
             people start work"
        )
    })
}
