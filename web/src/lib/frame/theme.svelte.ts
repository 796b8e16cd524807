export type Theme = 'system' | 'light' | 'dark';
const KEPT = 'workflow.theme';

class Look {
	theme: Theme = $state('system');
	dark = $state(false);

	begin() {
		const kept = document.documentElement.dataset.theme;
		this.theme = kept === 'light' || kept === 'dark' ? kept : 'system';
		const wish = matchMedia('(prefers-color-scheme: dark)');
		const follow = () => (this.dark = this.theme === 'dark' || (this.theme === 'system' && wish.matches));
		wish.addEventListener('change', follow);
		follow();
	}

	set(theme: Theme) {
		this.theme = theme;
		if (theme === 'system') delete document.documentElement.dataset.theme;
		else document.documentElement.dataset.theme = theme;
		this.dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
		try {
			if (theme === 'system') localStorage.removeItem(KEPT);
			else localStorage.setItem(KEPT, theme);
		} catch {
			// No storage: the choice lives as long as the page.
		}
	}
}

export const look = new Look();
