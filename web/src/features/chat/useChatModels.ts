import { useQuery } from "@tanstack/react-query";

import { canChat, type Model, modelsQuery } from "@/api/models";

const KEY = "ingle.model";

/** The models that chat, and which of them a new conversation takes: the last one used, else the first. */
export function useChatModels() {
  const { data, error, isPending, refetch } = useQuery(modelsQuery);
  const models = data?.models.filter(canChat) ?? [];
  const last = localStorage.getItem(KEY);
  const model = models.find((one) => one.id === last) ?? preferred(models);
  return { models, model: model?.id ?? null, error, isPending, retry: () => void refetch() };
}

/** New conversations begin with this model. */
export function rememberModel(id: string): void {
  localStorage.setItem(KEY, id);
}

/** Any model says more than the demo. */
function preferred(models: readonly Model[]): Model | undefined {
  return models.find((one) => one.installed && !one.installed.is_builtin) ?? models[0];
}
