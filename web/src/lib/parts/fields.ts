/** Fields of a form: from a workflow's declared inputs or a run's questions, and back to values. */
import type { CardField, InputView, Json, Question, Values } from '$lib/wire/types';

const KINDS: Record<string, CardField['type']> = {
	file: 'file',
	integer: 'number',
	number: 'number',
	boolean: 'boolean',
	enum: 'choice',
};

const kind = (type: string, choices?: Json[]): CardField['type'] => (choices?.length ? 'choice' : (KINDS[type] ?? 'text'));

export const ofInput = (input: InputView): CardField => ({
	key: input.name,
	label: input.label || input.name,
	type: kind(input.type, input.choices),
	// `late`: may be given afterwards, where somebody can be asked; a form asks at once.
	required: input.required === true || input.required === 'yes' || input.required === 'true',
	value: input.default ?? undefined,
	choices: input.choices,
	help: input.description,
});

export const ofQuestion = (question: Question): CardField => ({
	key: question.key,
	label: question.label,
	type: kind(question.kind, question.options),
	required: true,
	choices: question.options,
});

export type Typed = Record<string, Json>;

/** What a field shows: what was typed, else its value. */
export const shown = (field: CardField, typed: Typed): Json => typed[field.key] ?? field.value ?? (field.type === 'boolean' ? false : '');

export const missing = (fields: readonly CardField[], typed: Typed) =>
	fields.some((field) => field.required && field.type !== 'boolean' && shown(field, typed) === '');

/** What is sent: fields that are empty are left out, and so is what stands there by default and was not touched. */
export function given(fields: readonly CardField[], typed: Typed): Values {
	const values: Values = {};
	for (const field of fields) {
		const value = field.key in typed ? typed[field.key]! : field.required ? shown(field, typed) : '';
		if (value !== '') values[field.key] = field.type === 'number' && typeof value === 'string' ? Number(value) : value;
	}
	return values;
}
