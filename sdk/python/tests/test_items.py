"""What the SDK adds to the host's items: as many calls as it takes."""

import types
import unittest

from sluice_sdk import host, items


class Items(unittest.TestCase):
    def setUp(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.calls: list[int] = []
        self.replaced: list[str] = []

        def counted(of: list) -> list:
            self.calls.append(len(of))
            return of

        host.modules["items"] = types.SimpleNamespace(
            recall=lambda stream, keys: [self.kept.get(key) for key in counted(keys)],
            remember=lambda stream, entries: self.kept.update(counted(entries)),
            replace=lambda stream, files: self.replaced.extend(counted(files)),
        )

    def tearDown(self) -> None:
        host.modules.clear()

    def test_more_than_the_host_takes_at_once_is_handed_over_in_several_calls(self) -> None:
        names = [f"{number}.csv" for number in range(20_001)]
        items.remember("files", {name: name.encode() for name in names})
        self.assertEqual(items.recall("files", ["none", *names])[:2], [None, b"0.csv"])
        items.replace("files", iter(names))
        self.assertEqual(self.calls, [10_000, 10_000, 1, 10_000, 10_000, 2, 10_000, 10_000, 1])
        self.assertEqual(self.replaced, names)

    def test_nothing_is_asked_for_nothing(self) -> None:
        items.remember("files", {})
        items.replace("files", [])
        self.assertEqual(items.recall("files", []), [])
        self.assertEqual(self.calls, [])


if __name__ == "__main__":
    unittest.main()
