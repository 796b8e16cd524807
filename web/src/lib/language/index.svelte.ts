/** The page's language: the person's choice, then the service's setting, then the browser's. German is loaded when wanted. */
import { en, type Messages } from './en';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = 'workflow.language';

class Tongue {
	current: Language = $state('en');
	texts: Messages = $state.raw(en);
	chosen = false;

	/** Says everything in this language from now on. */
	async speak(language: Language, keep = true) {
		this.texts = language === 'de' ? (await import('./de')).de : en;
		this.current = language;
		document.documentElement.lang = language;
		if (!keep) return;
		this.chosen = true;
		try {
			localStorage.setItem(KEPT, language);
		} catch {
			// No storage: the choice lives as long as the page.
		}
	}

	async begin() {
		const kept = read();
		this.chosen = kept !== undefined;
		const wanted = kept ?? navigator.languages.map(supported).find((language) => language !== undefined) ?? 'en';
		await this.speak(wanted, false);
	}

	/** What the service is set to; counts only where the person has not chosen. */
	async suggest(language: string | null | undefined) {
		const wanted = supported(language ?? '');
		if (!this.chosen && wanted && wanted !== this.current) await this.speak(wanted, false);
	}
}

function supported(tag: string): Language | undefined {
	const [primary] = tag.toLowerCase().split('-');
	return primary === 'en' || primary === 'de' ? primary : undefined;
}

function read(): Language | undefined {
	try {
		return supported(localStorage.getItem(KEPT) ?? '');
	} catch {
		return undefined;
	}
}

export const tongue = new Tongue();

/** The texts of the present language; reactive. */
export const t = (): Messages => tongue.texts;

/** `1,234.5` or `1.234,5`. */
export const number = (value: number, digits = 0) =>
	value.toLocaleString(tongue.current, { maximumFractionDigits: digits, minimumFractionDigits: 0 });

/** A length of time in the words of the language: `0.4 s`, `1 min 12 s`, `2 h 5 min`. */
export function duration(seconds: number) {
	if (seconds < 0) return duration(0);
	if (seconds < 10) return `${number(seconds, seconds < 1 ? 2 : 1)} s`;
	if (seconds < 60) return `${number(Math.round(seconds))} s`;
	const whole = Math.round(seconds);
	if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
	if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
	return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** A size in bytes for people. */
export function size(bytes: number) {
	if (bytes < 1000) return `${number(bytes)} B`;
	if (bytes < 1_000_000) return `${number(bytes / 1000, 0)} kB`;
	return `${number(bytes / 1_000_000, 1)} MB`;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
	['second', 60],
	['minute', 3600],
	['hour', 86_400],
	['day', 7 * 86_400],
];

/** `3 minutes ago`, `in 12 seconds`; a date beyond a week. */
export function relative(at: string | number, now: number) {
	const seconds = Math.round((new Date(at).getTime() - now) / 1000);
	if (Math.abs(seconds) < 2) return t().time.now;
	let divisor = 1;
	for (const [unit, below] of UNITS) {
		if (Math.abs(seconds) < below) {
			return new Intl.RelativeTimeFormat(tongue.current, { numeric: 'auto', style: 'short' }).format(Math.trunc(seconds / divisor), unit);
		}
		divisor = below;
	}
	return new Intl.DateTimeFormat(tongue.current, { dateStyle: 'medium' }).format(new Date(at));
}

/** Date, time and zone, to the second. */
export const exact = (at: string | number) =>
	new Intl.DateTimeFormat(tongue.current, {
		year: 'numeric',
		month: '2-digit',
		day: '2-digit',
		hour: '2-digit',
		minute: '2-digit',
		second: '2-digit',
		timeZoneName: 'short',
	}).format(new Date(at));

/** `10:05` or `10:05:31`. */
export const clock = (at: string | number, seconds = false) =>
	new Intl.DateTimeFormat(tongue.current, {
		hour: '2-digit',
		minute: '2-digit',
		...(seconds ? { second: '2-digit' } : {}),
		hourCycle: 'h23',
	}).format(new Date(at));
