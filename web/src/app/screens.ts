import { Box, Brush, FlaskConical, MessageCircle, Settings2 } from "lucide-react";
import { type ComponentType, lazy } from "react";

export interface Screen {
  /** What the address bar may show for it, as wouter's patterns; the first is where its link leads. */
  patterns: readonly [string, ...string[]];
  label: string;
  icon: ComponentType;
  component: ComponentType;
}

/** All screens, in the order of the navigation. Each is loaded when it is first opened. */
export const SCREENS: readonly Screen[] = [
  {
    patterns: ["/", "/chat/:id"],
    label: "Chat",
    icon: MessageCircle,
    component: lazy(() => import("@/features/chat")),
  },
  {
    patterns: ["/playground", "/playground/:provider/:processor"],
    label: "Playground",
    icon: FlaskConical,
    component: lazy(() => import("@/features/playground")),
  },
  {
    patterns: ["/models"],
    label: "Models",
    icon: Box,
    component: lazy(() => import("@/features/models")),
  },
  {
    patterns: ["/images"],
    label: "Images",
    icon: Brush,
    component: lazy(() => import("@/features/images")),
  },
  {
    patterns: ["/settings", "/settings/:part"],
    label: "Settings",
    icon: Settings2,
    component: lazy(() => import("@/features/settings")),
  },
];
