"""Join the rows of design.csv with their accounts: the table that the study reads.

python recipes/semantic_roles/join.py > recipes/semantic_roles/accounts.csv
"""

import csv
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = (
    "id", "speaker", "register", "stimulus", "intended", "evoked", "valence", "arousal",
    "transcript", "roles",
)  # fmt: skip


def rows():
    """One account each, in the order of the design."""
    files = sorted((HERE / "accounts").glob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.open(encoding="utf-8")]
    parts = {one["id"]: one["parts"] for one in lines}
    with (HERE / "design.csv").open(encoding="utf-8", newline="") as design:
        for row in csv.DictReader(design):
            own = parts[row["id"]]
            yield {
                **{name: row[name] for name in COLUMNS if name in row},
                "speaker": row["narrator"],
                "transcript": "".join(text for _, text in own),
                "roles": json.dumps(own, ensure_ascii=False),
            }


if __name__ == "__main__":
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows())
