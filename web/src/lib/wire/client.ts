/** The service's routes. Every refusal becomes a [`Refused`] with code, sentence and fix, also when nobody answers. */
import type * as wire from './types';

export class Refused extends Error {
	constructor(readonly problem: wire.Problem) {
		super(problem.message);
	}

	/** Nobody answered: trying again may help, and nothing is known about whether the request arrived. */
	get unreachable() {
		return this.problem.status === 0;
	}
}

const listeners = new Set<() => void>();

/** Calls back when the service asks for a token. Returns how to stop. */
export function onSignedOut(listener: () => void) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function refused(status: number, body: unknown, requestId: string | null): Refused {
	const given = (typeof body === 'object' && body ? body : {}) as Partial<wire.Problem>;
	if (status === 401) for (const listener of listeners) listener();
	return new Refused({
		...given,
		status,
		code: given.code ?? (status === 0 ? 'offline' : `HTTP ${status}`),
		message: given.message ?? given.title ?? (status === 0 ? 'the service does not answer' : `the service answered ${status}`),
		request_id: given.request_id ?? requestId ?? undefined,
	});
}

async function ask<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
	let response: Response;
	try {
		response = await fetch(path, {
			method,
			credentials: 'same-origin',
			headers: {
				accept: 'application/json',
				// Foreign pages cannot send this without the service's consent.
				...(method === 'GET' ? {} : { 'x-workflow-page': '1' }),
				...(body === undefined ? {} : { 'content-type': 'application/json' }),
				...headers,
			},
			body: body === undefined ? undefined : JSON.stringify(body),
		});
	} catch {
		throw refused(0, null, null);
	}
	const text = await response.text().catch(() => '');
	let value: unknown = null;
	try {
		value = text ? JSON.parse(text) : null;
	} catch {
		if (response.ok) throw refused(response.status, { message: 'the answer cannot be read' }, null);
	}
	if (!response.ok) throw refused(response.status, value, response.headers.get('x-request-id'));
	return value as T;
}

/** A path with its parameters left out where they are empty. */
export function withQuery(path: string, query: Record<string, string | number | null | undefined>) {
	const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
	const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
	return text ? `${path}?${text}` : path;
}

const at = (strings: TemplateStringsArray, ...parts: string[]) =>
	strings.reduce((path, text, index) => path + text + (index < parts.length ? encodeURIComponent(parts[index]!) : ''), '');

export const api = {
	session: () => ask<wire.Session>('GET', '/api/session'),
	signIn: (token: string) => ask<unknown>('POST', '/api/session', { token }),
	signOut: () => ask<unknown>('DELETE', '/api/session'),

	workflows: (limit = 200) =>
		ask<{ workflows: wire.WorkflowView[]; total: number; next?: string | null }>('GET', withQuery('/api/workflow/list', { limit })),
	templates: () => ask<{ templates: wire.TemplateInfo[] }>('GET', '/api/workflow/templates'),
	workflow: (name: string) => ask<wire.WorkflowDetail>('GET', at`/api/workflow/${name}`),
	plan: (name: string, inputs: wire.Values) => ask<wire.PlanView>('POST', at`/api/workflow/${name}/plan`, { inputs }),
	execute: (name: string, inputs: wire.Values, key: string) =>
		ask<wire.Started>('POST', at`/api/workflow/${name}/execute`, { inputs }, { 'idempotency-key': key }),

	history: (query: { workflow?: string; status?: string; limit?: number; before?: string | null }) =>
		ask<wire.History>('GET', withQuery('/api/workflow/history', query)),
	run: (id: string, include = 'outputs,inputs,log') =>
		ask<wire.RunView>('GET', withQuery(at`/api/workflow/${id}/status`, { include })),
	control: (id: string, verb: 'pause' | 'resume' | 'cancel') => ask<wire.RunView>('POST', at`/api/workflow/${id}/${verb}`, {}),
	retry: (id: string, step?: string) => ask<wire.RunView>('POST', at`/api/workflow/${id}/retry`, step ? { step } : {}),
	rerun: (id: string, inputs: wire.Values) => ask<wire.Started>('POST', at`/api/workflow/${id}/rerun`, { inputs }),
	decide: (id: string, verb: 'approve' | 'reject', step: string, comment?: string) =>
		ask<wire.RunView>('POST', at`/api/workflow/${id}/${verb}`, { step, comment }),
	answer: (id: string, inputs: wire.Values) => ask<wire.RunView>('POST', at`/api/workflow/${id}/answer`, { inputs }),

	documents: () => ask<{ documents: wire.DocumentHit[] }>('GET', '/api/documents'),
	search: (q: string, limit = 50) =>
		ask<{ documents: wire.DocumentHit[] }>('GET', withQuery('/api/documents/search', { q, limit })),

	channels: () => ask<{ channels: wire.Channel[] }>('GET', '/api/chat/channels'),
	messages: (channel: string, before?: string | number | null, limit = 50) =>
		ask<{ messages: wire.ChatMessage[]; next?: string | number | null }>(
			'GET',
			withQuery(at`/api/chat/${channel}/messages`, { before, limit }),
		),
	send: (channel: string, message: { client_id: string; text: string; files: string[]; thread?: string }) =>
		ask<{ accepted: boolean; duplicate: boolean }>('POST', at`/api/chat/${channel}/messages`, message),
	act: (channel: string, message_id: string, action: string, values?: wire.Values) =>
		ask<{ accepted: boolean }>('POST', at`/api/chat/${channel}/actions`, { message_id, action, ...(values ? { values } : {}) }),
	complete: (text: string) =>
		ask<{ candidates: { text: string; hint?: string | null }[] }>('GET', withQuery('/api/chat/complete', { text })),
};

/** Uploads a file and tells how far it is; XMLHttpRequest because fetch says nothing about what was sent. */
export function upload(file: File, progress: (share: number) => void = () => {}, signal?: AbortSignal): Promise<wire.FileInfo> {
	return new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		const form = new FormData();
		form.append('file', file, file.name);
		request.open('POST', '/api/files');
		request.responseType = 'json';
		request.setRequestHeader('x-workflow-page', '1');
		request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
		request.onload = () =>
			request.status >= 200 && request.status < 300
				? resolve(request.response as wire.FileInfo)
				: reject(refused(request.status, request.response, request.getResponseHeader('x-request-id')));
		request.onerror = () => reject(refused(0, null, null));
		request.onabort = () => reject(refused(0, { message: 'the upload was stopped', code: 'stopped' }, null));
		signal?.addEventListener('abort', () => request.abort());
		request.send(form);
	});
}

/** Where a file can be fetched. */
export const fileAddress = (id: string) => at`/api/files/${id}`;
