import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";

import { PHONE, useMedia } from "@/lib/media";
import { Dialog } from "@/ui/Dialog";
import { Mark } from "@/ui/Mark";

import styles from "./Navigation.module.css";
import { type Screen, SCREENS } from "./screens";

const MOST_IN_BAR = 5;

/** The ways to the screens: a rail at the side; on a phone a bar at the bottom, what is over behind "More". */
export function Navigation() {
  const isPhone = useMedia(PHONE);
  const [isOpen, setOpen] = useState(false);
  const isCut = isPhone && SCREENS.length > MOST_IN_BAR;
  const shown = isCut ? SCREENS.slice(0, MOST_IN_BAR - 1) : SCREENS;
  return (
    <nav className={styles.nav} aria-label="Screens">
      <Link href="/" className={styles.mark} aria-label="Ingle: start">
        <Mark size={34} />
      </Link>
      <ul className={styles.list}>
        {shown.map((screen) => (
          <li key={screen.label} data-last={screen.label === "Settings" || undefined}>
            <ScreenLink screen={screen} />
          </li>
        ))}
        {isCut && (
          <li>
            <button type="button" className={styles.link} onClick={() => setOpen(true)}>
              <Ellipsis />
              More
            </button>
          </li>
        )}
      </ul>
      <Dialog isOpen={isOpen} onClose={() => setOpen(false)} title="Screens" shape="drawer-right">
        <ul className={styles.more} onClick={() => setOpen(false)}>
          {SCREENS.slice(MOST_IN_BAR - 1).map((screen) => (
            <li key={screen.label}>
              <ScreenLink screen={screen} />
            </li>
          ))}
        </ul>
      </Dialog>
    </nav>
  );
}

function ScreenLink({ screen }: { screen: Screen }) {
  const [location] = useLocation();
  const isHere = screen.patterns.some((pattern) => isAt(location, pattern));
  return (
    <Link
      href={screen.patterns[0]}
      className={styles.link}
      aria-current={isHere ? "page" : undefined}
    >
      <screen.icon />
      {screen.label}
    </Link>
  );
}

function isAt(location: string, pattern: string): boolean {
  const fixed = pattern.replace(/\/[:*].*$/, "");
  return location === pattern || (fixed !== "" && location.startsWith(`${fixed}/`));
}
