import { CSPProvider } from "@base-ui/react/csp-provider";
import { Tooltip } from "@base-ui/react/tooltip";
import { MutationCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Compass } from "lucide-react";
import { Suspense } from "react";
import { Link, Route, Switch } from "wouter";

import { needsSignIn } from "@/api/client";
import { Problem } from "@/lib/problem";
import { useSignal } from "@/lib/signal";
import { EmptyState } from "@/ui/states";
import { toastProblem, Toasts } from "@/ui/Toasts";

import styles from "./App.module.css";
import { Commands } from "./Commands";
import { Fault } from "./Fault";
import { Navigation } from "./Navigation";
import { SCREENS } from "./screens";
import { SignIn } from "./SignIn";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) =>
        count < 2 && !(error instanceof Problem && error.status < 500 && error.status),
    },
  },
  // Where no one shows an error beside its cause, it is told here.
  mutationCache: new MutationCache({
    onError: (error, _variables, _context, mutation) => {
      if (!mutation.options.onError && !mutation.meta?.["isShown"]) toastProblem(error);
    },
  }),
});

/** The page: its navigation, the screen that the address names, and what floats above both. */
export function App() {
  const mustSignIn = useSignal(needsSignIn);
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <Tooltip.Provider delay={450}>
          {mustSignIn ? (
            <SignIn />
          ) : (
            <div className={styles.shell}>
              <a className={styles.skip} href="#main">
                Skip to the content
              </a>
              <Navigation />
              <main id="main" className={styles.main} tabIndex={-1}>
                <Fault>
                  <Suspense fallback={null}>
                    <Switch>
                      {SCREENS.flatMap((screen) =>
                        screen.patterns.map((pattern) => (
                          <Route key={screen.label} path={pattern}>
                            <screen.component />
                          </Route>
                        )),
                      )}
                      <Route>
                        <EmptyState
                          icon={<Compass />}
                          title="There is no such page"
                          actions={<Link href="/">Go to the chat</Link>}
                        >
                          The address may be mistyped, or what was here is gone.
                        </EmptyState>
                      </Route>
                    </Switch>
                  </Suspense>
                </Fault>
              </main>
              <Commands />
            </div>
          )}
          <Toasts />
        </Tooltip.Provider>
      </QueryClientProvider>
    </CSPProvider>
  );
}
