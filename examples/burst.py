"""A burst on the local Lambda: twenty uploads at once, five environments, one file that never works.

`python burst.py page.html` writes its timeline as a page, `python burst.py picture.svg` as a picture.
"""

import sys
import time

from lambdakit import App, on_s3
from lambdakit.events import S3Record
from lambdakit.local import LocalLambda
from lambdakit.testing import events


@on_s3("uploads", suffix=".csv")
def ingest(upload: S3Record) -> int:
    """Takes as long as the file is large; one file is broken."""
    time.sleep((upload.size or 0) / 10_000)
    if upload.key == "broken.csv":
        raise ValueError("row 17 has no price")
    return upload.size or 0


handler = App(__name__, name="ingest", timeout=10)

if __name__ == "__main__":
    local = LocalLambda(seed=4)
    fn = local.deploy(handler, reserved_concurrency=5, dead_letter_queue="failed", init_duration=0.3)
    for number in range(20):
        fn.invoke_async(events.s3("uploads", f"{number}.csv", size=2_000 + 700 * (number % 6)))
    fn.invoke_async(events.s3("uploads", "broken.csv", size=3_000))
    local.run()

    print(local.timeline().summary)
    print(f"at most {fn.max_concurrency} at once, in {len(fn.environments)} environments")
    print(f"{local.now:.1f} s of virtual time")
    for letter in local.queue("failed"):
        print(f"given up: {letter.error}: {letter.error_message}")
    for path in sys.argv[1:]:
        write = local.timeline().to_svg if path.endswith(".svg") else local.timeline().to_html
        print(f"timeline: {write(path)}")
