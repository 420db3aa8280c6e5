import { queryOptions } from "@tanstack/react-query";

import { Problem } from "@/lib/problem";

import { client, dataOf, type Schema, send } from "./client";

export type Model = Schema<"ModelDescription">;
export type Suggestion = Schema<"SuggestedModel">;
export type Pull = Schema<"PullDescription">;

/** Every model that can be asked for, here and at connections. A key with limits sees names only. */
export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: async (): Promise<Schema<"ModelsDescription">> => {
    try {
      return await dataOf(client.GET("/api/models"));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "not_allowed") throw error;
      const listed = (await (await send("/v1/models")).json()) as {
        data: { id: string; owned_by: string }[];
      };
      const models = listed.data.map((one) => ({ ...one, installed: null }));
      return { models, faults: [], damaged: [] };
    }
  },
});

/** Good open models that fit this machine. */
export const suggestionsQuery = queryOptions({
  queryKey: ["suggestions"],
  queryFn: () => dataOf(client.GET("/api/suggestions")),
  staleTime: 5 * 60_000,
});

/** The pulls that are under way, paused, failed or just done; asked often while one runs. */
export const pullsQuery = queryOptions({
  queryKey: ["pulls"],
  queryFn: () => dataOf(client.GET("/api/pulls")),
  refetchInterval: (query) => (query.state.data?.some(isUnderWay) ? 1000 : false),
});

/** Whether a pull moves on its own. */
export function isUnderWay(pull: Pull): boolean {
  return !["installed", "failed", "paused", "cancelled"].includes(pull.state);
}

/** Begin a pull, or go on with it. */
export function startPull(source: string): Promise<Pull> {
  return dataOf(client.POST("/api/pulls", { body: { source, fresh: false } }));
}

/** Whether a model chats. Of a connection's it is not known, so it may. */
export function canChat(model: Model): boolean {
  return model.installed === null || model.installed.capabilities.includes("chat");
}

/** Whether a model takes images; of a connection's it is not known, so it may. */
export function canSee(model: Model): boolean {
  return model.installed === null || model.installed.capabilities.includes("vision");
}
