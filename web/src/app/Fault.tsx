import { Component, type ReactNode } from "react";

import { Button } from "@/ui/Button";
import { EmptyState } from "@/ui/states";

interface FaultProps {
  children: ReactNode;
}

/** Keeps a fault in a screen from taking the whole page, and says what to do. */
export class Fault extends Component<FaultProps, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <EmptyState
        title="This screen failed"
        actions={
          <Button kind="primary" onClick={() => location.reload()}>
            Load the page anew
          </Button>
        }
      >
        {/dynamically imported module|module script/i.test(error.message)
          ? "Ingle may have been updated or stopped while the page was open."
          : `What you wrote is kept. If it happens again, report this: ${error.message}`}
      </EmptyState>
    );
  }
}
