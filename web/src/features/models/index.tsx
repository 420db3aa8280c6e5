import { Page } from "@/ui/Page";

import { AddModel } from "./AddModel";
import { Downloads } from "./Downloads";
import { Installed } from "./Installed";
import styles from "./Models.module.css";
import { Suggestions } from "./Suggestions";

/** The models of this machine: which are here, what they do now, and how more of them come. */
export default function ModelsScreen() {
  return (
    <Page
      title="Models"
      intro="What runs on this machine. A model is loaded when it is first asked and makes room when others need it."
    >
      <div className={styles.parts}>
        <AddModel />
        <Downloads />
        <Installed />
        <Suggestions />
      </div>
    </Page>
  );
}
