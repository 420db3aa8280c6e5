import { useState } from "react";

import { chooseTheme, chosenTheme, type Theme } from "@/lib/theme";
import { Section } from "@/ui/Page";
import { Segments } from "@/ui/Segments";

/** Light, dark, or as the system has it; kept in this browser. */
export function Appearance() {
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  return (
    <Section title="Theme" intro="Kept in this browser.">
      <div>
        <Segments
          label="Theme"
          value={theme}
          onPick={(picked) => {
            setTheme(picked);
            chooseTheme(picked);
          }}
          options={[
            { value: "system", label: "As the system" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
        />
      </div>
    </Section>
  );
}
