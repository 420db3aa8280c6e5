import { useLocation, useParams } from "wouter";

import { Page } from "@/ui/Page";
import { Tabs } from "@/ui/Tabs";

import { About } from "./About";
import { Appearance } from "./Appearance";
import { Connections } from "./Connections";
import { Keys } from "./Keys";

const PARTS = [
  { value: "connections", label: "Connections", content: <Connections /> },
  { value: "keys", label: "API keys", content: <Keys /> },
  { value: "appearance", label: "Appearance", content: <Appearance /> },
  { value: "about", label: "Data and version", content: <About /> },
];

/** What holds for this Ingle as a whole. */
export default function SettingsScreen() {
  const { part } = useParams<{ part?: string }>();
  const [, navigate] = useLocation();
  const shown = PARTS.find((one) => one.value === part) ?? PARTS[0]!;
  return (
    <Page title="Settings">
      <Tabs value={shown.value} onPick={(value) => navigate(`/settings/${value}`)} tabs={PARTS} />
    </Page>
  );
}
