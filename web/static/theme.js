// Before the first paint, so that a dark page never flashes white. A file of its own because the page allows no inline script.
try {
	const theme = localStorage.getItem('workflow.theme');
	if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
	const language = localStorage.getItem('workflow.language');
	if (language) document.documentElement.lang = language;
} catch {
	// No storage: the system's theme it is.
}
