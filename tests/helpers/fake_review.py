"""A review of drawn grana in memory: what the page's server would answer, without measuring."""

import copy
import math

import numpy as np
import shapely
from shapely.ops import split

COLUMNS = [
    {"name": n, "label": la, "unit": u, "meaning": m, "decimals": d}
    for n, la, u, m, d in (
        ("area_nm2", "area", "nm²", "area of the outline, nm²", 0),
        ("perimeter_nm", "perimeter", "nm", "length of the outline, nm", 0),
        ("gsi", "GSI", "", "1 − area / (a · height), a = perimeter / 2 − height", 3),
        ("diameter_nm", "diameter", "nm", "along the lamellae", 1),
        ("height_nm", "height", "nm", "across the lamellae", 1),
        ("srd_nm", "SRD", "nm", "stacking repeat distance, nm", 2),
        ("layers", "layers", "", "lamellae counted along their phase", 1),
        ("thylakoids", "thylakoids", "", "height over SRD, rounded", 0),
    )
]


class Refusal(Exception):
    """An edit that the server refuses, with a status of HTTP."""

    def __init__(self, status, text, **more):
        super().__init__(text)
        self.status, self.body = status, {"error": text, **more}


def measured(granum, px_per_nm):
    """Returns a granum with values that follow from its outline, direction and period."""
    polygon = shapely.Polygon(granum["outline"])
    if not polygon.is_valid:
        raise Refusal(422, "the outline crosses itself; accepted is a simple polygon")
    if polygon.area < 200:
        raise Refusal(422, "the outline is too small; accepted is an area of 200 px² or more")
    turn = math.radians(granum["direction_deg"]["value"])
    corners = np.array(granum["outline"])
    along = corners @ [math.cos(turn), -math.sin(turn)]
    across = corners @ [math.sin(turn), math.cos(turn)]
    height, diameter = np.ptp(across) / px_per_nm, np.ptp(along) / px_per_nm
    period = granum["period_px"]["value"] / px_per_nm
    numbers = {
        "area_nm2": polygon.area / px_per_nm**2,
        "perimeter_nm": polygon.length / px_per_nm,
        "gsi": 0.2,
        "diameter_nm": diameter,
        "height_nm": height,
        "srd_nm": period,
        "layers": height / period,
        "thylakoids": round(height / period),
    }
    sds = {"srd_nm": granum["period_px"]["sd"] / px_per_nm, "thylakoids": 0.0}
    values = {n: {"value": v, "sd": sds.get(n, 0.03 * v)} for n, v in numbers.items()}
    return {**granum, "values": values}


class FakeReview:
    """Files with grana, and edits with undo by copies of the whole state.

    Args:
      files: name: (grey, px_per_nm, group, [(outline, direction, period, status, reason)]).
    """

    def __init__(self, files):
        self.revision, self.job, self.pending, self.keys = 1, None, [], {}
        self.greys, self.files, self.settings, self.seen = {}, {}, [], []
        self.past, self.future = {}, {}
        for name, (grey, px_per_nm, group, grana) in files.items():
            self.greys[name] = grey
            shown = {"name": name, "file": f"{name}.tif", "rows": grey.shape[0]}
            shown |= {"columns": grey.shape[1], "px_per_nm": px_per_nm, "source": "given"}
            shown |= {"group": group, "error": "", "notes": [], "tiles": f"tiles-{name}"}
            shown |= {"given": {"px_per_nm": px_per_nm, "bar_nm": None}, "changed": False}
            shown |= {"whole": f"tiles-{name}", "revision": 1}
            made = [self._granum(i, *one, px_per_nm) for i, one in enumerate(grana, 1)]
            self.files[name] = {"file": shown, "grana": {one["number"]: one for one in made}}
            self.past[name], self.future[name] = [], []

    @staticmethod
    def _granum(number, outline, direction, period, status, reason, px_per_nm):
        made = {"number": number, "status": status, "decision": None, "origin": "machine"}
        made |= {"manual": [], "outline": [list(corner) for corner in outline], "reason": reason}
        made |= {"direction_deg": {"value": direction, "sd": 1.2}}
        made = measured(made | {"period_px": {"value": period, "sd": 0.11}}, px_per_nm)
        return {**made, "machine": copy.deepcopy(made)}

    def state(self):
        files = []
        for one in self.files.values():
            grana = one["grana"].values()
            counts = {"grana": len(grana), "ok": sum(g["status"] == "ok" for g in grana)}
            counts["doubtful"] = counts["grana"] - counts["ok"]
            counts["decided"] = sum(g["decision"] is not None for g in grana)
            files.append(one["file"] | counts)
        state = {"revision": self.revision, "files": files, "pending": self.pending}
        return state | {"columns": COLUMNS, "job": self.job, "queue": 0, "read_only": False}

    def file(self, name):
        one = self.files[name]
        grana = list(one["grana"].values())
        return {"file": one["file"], "grana": grana, "revision": self.revision}

    def edit(self, name, revision, key, op):
        """Returns the answer to an edit, once for each key."""
        if key in self.keys:
            return self.keys[key]
        if not self.files[name]["file"]["revision"] <= revision <= self.revision:
            raise Refusal(409, "the review has changed meanwhile", revision=self.revision)
        before = copy.deepcopy(self.files[name]["grana"])
        after = self._after(name, op)
        if op["do"] not in ("undo", "redo"):
            self.past[name].append(before)
            self.future[name].clear()
        self.files[name]["grana"] = after
        self.revision += 1
        self.files[name]["file"]["revision"] = self.revision
        answer = {
            "revision": self.revision,
            "changed": [one for number, one in after.items() if before.get(number) != one],
            "removed": [number for number in before if number not in after],
            "undo": bool(self.past[name]),
            "redo": bool(self.future[name]),
        }
        self.keys[key] = answer
        self.seen.append(op)
        return answer

    def _after(self, name, op):
        grana = copy.deepcopy(self.files[name]["grana"])
        scale, do = self.files[name]["file"]["px_per_nm"], op["do"]
        if do in ("undo", "redo"):
            here, there = self.past[name], self.future[name]
            here, there = (here, there) if do == "undo" else (there, here)
            if not here:
                raise Refusal(422, f"there is nothing to {do}")
            there.append(grana)
            return here.pop()
        if do == "join":
            first, second = (grana.pop(number) for number in op["grana"])
            joined = shapely.union(
                *(shapely.Polygon(g["outline"]).buffer(3) for g in (first, second))
            )
            if joined.geom_type != "Polygon":
                raise Refusal(422, "the grana don't touch; accepted are neighbours")
            return self._with_new(name, grana, [joined], "joined", first, scale)
        if do == "add":
            like = next(iter(self.files[name]["grana"].values()))
            return self._with_new(
                name, grana, [shapely.Polygon(op["outline"])], "drawn", like, scale
            )
        granum = grana[op["granum"]]
        if do == "split":
            parts = split(shapely.Polygon(granum["outline"]), shapely.LineString(op["line"])).geoms
            if len(parts) != 2:
                raise Refusal(422, f"the line makes {len(parts)} parts; accepted are exactly two")
            del grana[op["granum"]]
            return self._with_new(name, grana, parts, "split", granum, scale)
        if do == "delete":
            del grana[op["granum"]]
            return grana
        grana[op["granum"]] = self._changed(granum, op, scale)
        return grana

    @staticmethod
    def _changed(granum, op, scale):
        decisions = {"accept": "accepted", "reject": "rejected", "reset_decision": None}
        if op["do"] in decisions:
            return granum | {"decision": decisions[op["do"]]}
        if op["do"] == "outline":
            return measured(granum | {"outline": op["outline"], "origin": "edited"}, scale)
        field = {"direction": "direction_deg", "period": "period_px"}[op["do"]]
        manual = [one for one in granum["manual"] if one != field]
        if op[field] is None:
            return measured(granum | {field: granum["machine"][field], "manual": manual}, scale)
        value = {"value": op[field], "sd": 0.0}
        return measured(granum | {field: value, "manual": [*manual, field]}, scale)

    def _with_new(self, name, grana, polygons, origin, like, scale):
        ever = [*self.files[name]["grana"], *(n for past in self.past[name] for n in past), 0]
        for number, polygon in enumerate(polygons, max(ever) + 1):
            outline = [list(corner) for corner in polygon.exterior.coords[:-1]]
            made = like | {"number": number, "origin": origin, "manual": [], "decision": None}
            made |= {"outline": outline, "machine": None, "status": "ok", "reason": ""}
            grana[number] = measured(made, scale)
        return grana
