//! When to repeat a delivery: a few attempts at once, then through the queue. The schedules are constant
//! data.

use std::time::Duration;

use tokio::time::Instant;

use crate::send_error::SendError;

/// The schedule of attempts within one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Attempts, the first one included.
    pub attempts_max: u32,
    /// The longest pause before the second attempt, which is random; it doubles each time.
    pub pause_base: Duration,
    /// The longest random pause.
    pub pause_max: Duration,
    /// The longest wait that this invocation keeps for a channel; a longer one goes through the queue.
    pub retry_after_max: Duration,
    /// The least time left with which an attempt begins.
    pub attempt_min: Duration,
}

/// Attempts within one invocation.
pub const IN_PROCESS: Plan = Plan {
    attempts_max: 3,
    pause_base: Duration::from_millis(250),
    pause_max: Duration::from_secs(2),
    retry_after_max: Duration::from_secs(3),
    attempt_min: Duration::from_millis(500),
};

/// Waits before the queue delivers again, in seconds, by number of deliveries; the last one repeats.
pub const REDELIVERY_S: [u64; 6] = [5, 30, 120, 600, 1800, 3600];

/// The failure of a delivery in this invocation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gave up after {attempts} attempts")]
pub struct GaveUp {
    /// Attempts that were made.
    pub attempts: u32,
    /// The error of the last one.
    #[source]
    pub error: SendError,
}

/// Makes attempts until one succeeds, until another cannot help, or until the plan or the time is used up.
/// Each attempt gets its number, from 1, and the time since the call. The end of the budget cuts it off.
///
/// An attempt that is cut off may have succeeded: a notification is sent at least once, under a stable id.
/// Time is the runtime's timer, not the system clock.
///
/// # Errors
/// [`GaveUp`] with the last error, which says when to try again if the channel said so.
pub async fn attempt<F>(plan: Plan, budget: Duration, mut send: F) -> Result<u32, GaveUp>
where
    F: AsyncFnMut(u32, Duration) -> Result<(), SendError>,
{
    let begun = Instant::now();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let left = budget.saturating_sub(begun.elapsed());
        let outcome = tokio::time::timeout(left, send(attempts, begun.elapsed())).await;
        let error = match outcome {
            Ok(Ok(())) => return Ok(attempts),
            Ok(Err(error)) => error,
            Err(_) => SendError::transient("out of time"),
        };
        let left = budget.saturating_sub(begun.elapsed());
        match pause(plan, attempts, &error, fastrand::f64()) {
            Some(pause) if pause + plan.attempt_min <= left => tokio::time::sleep(pause).await,
            _ => return Err(GaveUp { attempts, error }),
        }
    }
}

/// How long to pause before the next attempt in this invocation; `None` to stop. `random` is from 0 to 1.
fn pause(plan: Plan, attempts: u32, error: &SendError, random: f64) -> Option<Duration> {
    if attempts >= plan.attempts_max || !error.is_worth_retrying() {
        return None;
    }
    if let Some(asked) = error.retry_after() {
        return (asked <= plan.retry_after_max).then_some(asked);
    }
    let doubled = plan.pause_base.saturating_mul(2_u32.saturating_pow(attempts - 1));
    Some(doubled.min(plan.pause_max).mul_f64(random.clamp(0.0, 1.0)))
}

/// How long the queue should wait before it delivers again, for the message's visibility time-out; `None` if
/// another attempt cannot help. `receive_count` is from 1, `random` from 0 to 1.
///
/// Keeps a channel's requested wait to the second. Otherwise half of the wait is fixed and half is random, so
/// that messages that failed together do not return together.
#[must_use]
pub fn redeliver_after(receive_count: u32, error: &SendError, random: f64) -> Option<Duration> {
    if !error.is_worth_retrying() {
        return None;
    }
    if let Some(asked) = error.retry_after() {
        let whole = asked.as_secs() + u64::from(asked.subsec_nanos() > 0);
        return Some(Duration::from_secs(whole));
    }
    let step = usize::try_from(receive_count.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait_s = REDELIVERY_S.get(step).or(REDELIVERY_S.last()).copied().unwrap_or_default();
    let wait = Duration::from_secs(wait_s).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
    Some(Duration::from_secs(wait.as_secs().max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    const QUICK: Plan = Plan {
        attempts_max: 3,
        pause_base: Duration::from_millis(1),
        pause_max: Duration::from_millis(2),
        retry_after_max: Duration::from_millis(50),
        attempt_min: Duration::from_millis(1),
    };

    /// Attempts with these outcomes, success after them; returns the outcome and how long it took.
    async fn attempts(budget_ms: u64, errors: Vec<SendError>) -> (Result<u32, GaveUp>, Duration) {
        let errors = RefCell::new(errors.into_iter());
        let begun = Instant::now();
        let budget = Duration::from_millis(budget_ms);
        let outcome = attempt(QUICK, budget, async |_, _| errors.borrow_mut().next().map_or(Ok(()), Err));
        (outcome.await, begun.elapsed())
    }

    fn limited(milliseconds: u64) -> SendError {
        SendError::RateLimited { retry_after: Duration::from_millis(milliseconds) }
    }

    #[tokio::test]
    async fn a_temporary_failure_is_repeated_a_few_times() {
        let error = SendError::transient("HTTP 503");
        assert_eq!(attempts(60_000, vec![error.clone(); 2]).await.0, Ok(3));
        let gave_up = GaveUp { attempts: 3, error: error.clone() };
        assert_eq!(attempts(60_000, vec![error; 3]).await.0, Err(gave_up));
    }

    #[tokio::test]
    async fn a_permanent_failure_is_tried_once() {
        let stays = [
            SendError::UnknownRecipient,
            SendError::NotConfigured,
            SendError::Permanent("HTTP 410".to_owned()),
        ];
        for error in stays {
            let gave_up = GaveUp { attempts: 1, error: error.clone() };
            assert_eq!(attempts(60_000, vec![error.clone()]).await.0, Err(gave_up));
            assert_eq!(redeliver_after(1, &error, 0.5), None);
        }
    }

    #[tokio::test]
    async fn a_short_wait_is_kept_here_and_a_long_one_is_left_to_the_queue() {
        let (outcome, took) = attempts(60_000, vec![limited(40)]).await;
        assert_eq!(outcome, Ok(2));
        assert!(took >= Duration::from_millis(40));
        let (outcome, took) = attempts(60_000, vec![limited(20_000)]).await;
        assert_eq!(outcome, Err(GaveUp { attempts: 1, error: limited(20_000) }));
        assert!(took < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn no_pause_and_no_attempt_outlasts_the_budget() {
        let (outcome, _) = attempts(20, vec![limited(30)]).await;
        assert_eq!(outcome, Err(GaveUp { attempts: 1, error: limited(30) }));
        let never = attempt(QUICK, Duration::from_millis(20), async |_, _| std::future::pending().await);
        let error = SendError::transient("out of time");
        assert_eq!(never.await, Err(GaveUp { attempts: 1, error }));
    }

    #[test]
    fn pauses_grow_are_random_and_bounded() {
        let error = SendError::transient("HTTP 503");
        let plan = Plan { attempts_max: 9, ..IN_PROCESS };
        let pause_ms = |attempts, random| pause(plan, attempts, &error, random).unwrap().as_millis();
        let longest: Vec<u128> = (1..=5).map(|attempts| pause_ms(attempts, 1.0)).collect();
        assert_eq!(longest, [250, 500, 1000, 2000, 2000]);
        assert_eq!((pause_ms(3, 0.0), pause_ms(3, 0.5)), (0, 500));
    }

    #[test]
    fn the_queue_waits_longer_each_time_and_exactly_as_long_as_asked() {
        let error = SendError::transient("HTTP 503");
        let wait_s = |count, random| redeliver_after(count, &error, random).unwrap().as_secs();
        let longest: Vec<u64> = (0..=8).map(|count| wait_s(count, 1.0)).collect();
        assert_eq!(longest, [5, 5, 30, 120, 600, 1800, 3600, 3600, 3600]);
        assert_eq!(wait_s(4, 0.0), 300);
        for random in [0.0, 1.0] {
            let asked = redeliver_after(1, &limited(29_001), random);
            assert_eq!(asked, Some(Duration::from_secs(30)));
        }
    }
}
