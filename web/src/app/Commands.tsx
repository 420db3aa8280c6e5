import { Keyboard, MonitorCog, Moon, Sun } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";

import { type Command, offered, useCommands } from "@/lib/commands";
import { useShortcut } from "@/lib/shortcuts";
import { useSignal } from "@/lib/signal";
import { chooseTheme } from "@/lib/theme";
import { CommandPalette } from "@/ui/CommandPalette";
import { Dialog } from "@/ui/Dialog";
import { Keys } from "@/ui/Keys";

import styles from "./Commands.module.css";
import { SCREENS } from "./screens";

/** The command palette, the list of shortcuts, and the commands that hold on every screen. */
export function Commands() {
  const [isOpen, setOpen] = useState(false);
  const [isHelp, setHelp] = useState(false);
  const [, navigate] = useLocation();
  const commands = useSignal(offered);
  useShortcut("mod+k", () => setOpen(!isOpen));
  useShortcut("?", () => setHelp(true));
  useCommands(
    useMemo(
      (): Command[] => [
        ...SCREENS.map((screen) => ({
          id: `go-${screen.label}`,
          label: screen.label,
          group: "Go to",
          icon: <screen.icon />,
          run: () => navigate(screen.patterns[0]),
        })),
        {
          id: "light",
          label: "Light",
          group: "Theme",
          icon: <Sun />,
          run: () => chooseTheme("light"),
        },
        {
          id: "dark",
          label: "Dark",
          group: "Theme",
          icon: <Moon />,
          run: () => chooseTheme("dark"),
        },
        {
          id: "system",
          label: "As the system",
          group: "Theme",
          icon: <MonitorCog />,
          run: () => chooseTheme("system"),
        },
        {
          id: "shortcuts",
          label: "Keyboard shortcuts",
          group: "Help",
          icon: <Keyboard />,
          shortcut: "?",
          run: () => setHelp(true),
        },
      ],
      [navigate],
    ),
  );
  return (
    <>
      <CommandPalette isOpen={isOpen} onClose={() => setOpen(false)} commands={commands} />
      <Dialog isOpen={isHelp} onClose={() => setHelp(false)} title="Keyboard shortcuts">
        <dl className={styles.keys}>
          <Row shortcut="mod+k" label="All commands" />
          {commands.map(
            (one) => one.shortcut && <Row key={one.id} shortcut={one.shortcut} label={one.label} />,
          )}
        </dl>
      </Dialog>
    </>
  );
}

function Row({ shortcut, label }: { shortcut: string; label: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <Keys shortcut={shortcut} />
      </dd>
    </div>
  );
}
