//! What a test build does because its test says so; nothing in a release.

/// Has the process die at a place of [`crate::contract::crash`]: `CRASH_POINT` names it, after a number and a colon.
#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "no setting: a release knows nothing of it, and no user should either")]
pub fn arm() {
    let Ok(said) = std::env::var("CRASH_POINT") else { return };
    if let Some((nth, point)) = said.split_once(':')
        && let Ok(nth) = nth.parse()
    {
        crate::contract::crash::arm(point, nth);
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub const fn arm() {}
