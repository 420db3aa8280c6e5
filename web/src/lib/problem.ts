/** What went wrong, in the words of the server's error tree; every failure on the page is one. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly param: string | null;

  constructor(message: string, code: string, status = 0, param: string | null = null) {
    super(message);
    this.name = "Problem";
    this.code = code;
    this.status = status;
    this.param = param;
  }
}

interface ErrorBody {
  error?: { message?: unknown; code?: unknown; param?: unknown };
}

/** The problem that an answer's body tells, whoever wrote it. */
export function problemOf(body: unknown, status: number): Problem {
  const told = typeof body === "object" && body !== null ? (body as ErrorBody).error : undefined;
  if (typeof told?.message === "string") {
    const code = typeof told.code === "string" ? told.code : "unknown";
    return new Problem(
      told.message,
      code,
      status,
      typeof told.param === "string" ? told.param : null,
    );
  }
  return new Problem(
    `The server answered with status ${status} and did not say why. Its log may say more.`,
    "unknown",
    status,
  );
}

/** Any thrown value as a problem. A broken connection reads as one, not as "Failed to fetch". */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) {
    return new Problem(
      "Ingle does not answer. It may have been stopped: start it with `ingle up`, then try again.",
      "unreachable",
    );
  }
  return new Problem(error instanceof Error ? error.message : String(error), "unknown");
}

/** Whether an error only says that someone stopped waiting. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
