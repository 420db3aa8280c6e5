import { client, dataOf, type Schema } from "@/api/client";

export type Engine = Schema<"EngineDescription">;
export type ModelDetails = Schema<"ModelDetails">;
export type Verdict = Schema<"VerdictDescription">;

const named = (name: string) => ({ params: { path: { name } } });
const numbered = (pull_id: string) => ({ params: { path: { pull_id } } });

/** Start a model's engine, so that its first call does not wait. */
export function loadModel(name: string): Promise<Engine> {
  return dataOf(client.POST("/api/models/{name}/load", named(name)));
}

/** Stop its engine once its calls have ended. */
export async function unloadModel(name: string): Promise<void> {
  await dataOf(client.POST("/api/models/{name}/stop", named(name)));
}

/** Compare its files with what was pulled. */
export function verifyModel(name: string): Promise<Verdict> {
  return dataOf(client.POST("/api/models/{name}/verify", named(name)));
}

/** Stop its engine and delete its files. */
export async function removeModel(name: string): Promise<void> {
  await dataOf(client.DELETE("/api/models/{name}", named(name)));
}

/** All that is known of a model of this machine. */
export function describeModel(name: string): Promise<ModelDetails> {
  return dataOf(client.GET("/api/models/{name}", named(name)));
}

/** The last lines of its engine's log. */
export function readLog(name: string): Promise<string[]> {
  return dataOf(client.GET("/api/engines/{name}/log", named(name)));
}

/** Stop a pull and keep what has come. */
export async function pausePull(id: string): Promise<void> {
  await dataOf(client.POST("/api/pulls/{pull_id}/pause", numbered(id)));
}

/** Go on with a pull. */
export async function resumePull(id: string): Promise<void> {
  await dataOf(client.POST("/api/pulls/{pull_id}/resume", numbered(id)));
}

/** Stop a pull and remove what has come; one that has ended is listed no more. */
export async function cancelPull(id: string): Promise<void> {
  await dataOf(client.DELETE("/api/pulls/{pull_id}", numbered(id)));
}
