"""``docs/model-card.md`` from a card: every figure on the page is one of the card's."""

from typing import Any

from training.figures import parts_told, rate

_NAMES = {
    "validation": "Validation split (set calibration and thresholds)",
    "official_test": "Official test",
    "folds": "Folds together, no part on both sides",
}


def page(card: dict[str, Any]) -> str:
    """The whole page, Markdown."""
    parts = [
        f"# Model card: {card['version']}",
        f"Made from `models/{card['version']}/card.json` by `casting models card`; don't edit.",
        _what(card),
        _data(card["data"]),
        *(_figures(_NAMES.get(name, name), told) for name, told in card["figures"].items() if "recall" in told),
        *([_seeds(card["seeds"])] if "seeds" in card else []),
        _decision(card),
        *([_altered(card["altered"])] if "altered" in card else []),
        *([_refusals(card["refusals"])] if "refusals" in card else []),
        *([_probes(card["probes"])] if "probes" in card else []),
        _engine(card),
        _history(card["training"]),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _what(card: dict[str, Any]) -> str:
    return (
        "A small convolutional network that says whether a cast pump impeller, seen from above, is sound. "
        f"Preprocessing `{card['preprocessing']['id']}` finds the part by its dark channel, unrolls it and evens its "
        "light; the network decides place by place and the worst place decides.\n\n"
        f"**Licence of the data: {card['data_licence']}.** {card['data_note']}"
    )


def _data(data: dict[str, Any]) -> str:
    left_out = len(data["left_out_contradicting"])
    return (
        "## Data\n\n"
        f"{data['pictures']:,} labelled pictures, {data['defects']:,} of them defective, show only {data['groups']} "
        "different parts (groups of look-alikes: turned, flipped, stretched, relit copies). "
        f"{left_out} pictures were left out because the same photograph stands under both labels. "
        f"{data['drawn_castings']} drawn castings were trained on beside them. "
        f"Held back for validation: {data['validation_pictures']:,} pictures of {data['validation_groups']} groups, "
        f"{data['validation_groups_sound']} of them sound parts; none of these parts was trained on. "
        "Validation also chose the best epoch, the thresholds and, by its altered pictures, the augmentation: its "
        "figures are no independent estimate. Pictures of one part resemble each other, so that intervals counted by "
        "pictures are too narrow.\n\n"
        f"SHA-256 of the data `{data['sha256']}`, of the validation part `{data['split_sha256']}`."
    )


def _figures(name: str, told: dict[str, Any]) -> str:
    rows = [
        ("Defects found / missed", f"{told['found']} / {told['missed']}"),
        ("Sound passed / false alarms", f"{told['passed']} / {told['false_alarms']}"),
        *((one.capitalize(), rate(told[one])) for one in ("recall", "precision", "accuracy")),
        *((one.capitalize(), rate(told[one])) for one in ("escapes", "overkill", "review", "rejected") if one in told),
    ]
    if "ece" in told:
        rows.append(
            ("Calibration error (ECE), before / after", f"{told['ece']['before']:.4f} / {told['ece']['after']:.4f}")
        )
    text = f"## {name}\n\n{told['pictures']:,} pictures; shares with exact 95 % intervals.\n\n{_table(('', ''), rows)}"
    if "parts" in told:
        text += (
            f"\n\nCounted {parts_told(told['parts'])} (each part one trial, wrong if any of its pictures is: "
            "the safe side, because pictures of one part are no independent trials)."
        )
    if "runs" in told:
        text += (
            "\n\nEach fold was judged by a net that was trained on none of its parts. **But best epoch, calibration "
            "and thresholds of each net were set on the very pictures that it judges here**: how well it tells sound "
            "from defective is free of leaks, where its bounds lie is not, so that of new parts more must be expected "
            "to be missed and passed as ok (measured in docs/decisions/0041). The share of `review` to expect of new "
            "parts is nearer to this one than to that of the validation split. `rejected` is not counted here."
            f"\n\n{_runs(told['runs'])}"
        )
    if "twins" in told:
        twins = told["twins"]
        without = twins["without_byte_copies"]
        text += (
            f"\n\n{twins['byte_copies_of_training']} of these pictures are byte copies of training pictures; without "
            f"them {without['missed']} missed, {without['false_alarms']} false alarms. "
            f"{twins['look_alikes_in_training']} show a part that the training pictures show too: this figure says "
            "little about new parts."
        )
    return text


def _runs(runs: list[dict[str, Any]]) -> str:
    rows = [
        (
            *(one["fold"], one["seed"], one["epochs"] or "full", one["pictures"], one["missed"], one["false_alarms"]),
            *(format(one[name]["value"], ".2%") for name in ("escapes", "review")),
            f"{one['parts']['with_a_miss']} of {one['parts']['defective']}",
            f"{one['parts']['with_a_false_alarm']} of {one['parts']['sound']}",
        )
        for one in runs
    ]
    head = (
        *("Fold", "Seed", "Epochs", "Pictures", "Missed", "False alarms", "Escapes", "Review"),
        *("Parts missed", "Sound parts alarmed"),
    )
    wrong = [f"- fold {one['fold']}, seed {one['seed']}: {', '.join(one['wrong'])}" for one in runs if one["wrong"]]
    return _table(head, rows) + ("\n\nWhich pictures:\n\n" + "\n".join(wrong) if wrong else "")


def _seeds(runs: list[dict[str, Any]]) -> str:
    return "## Other seeds\n\nThe same fold, trained and judged again from another start.\n\n" + _runs(runs)


def _decision(card: dict[str, Any]) -> str:
    bounds, policy = card["thresholds"], card["policy"]
    return (
        "## Decision\n\n"
        f"`def_front` from p_defect {bounds['decide']:.4f}: a miss costs {policy['miss_cost']:g} false alarms, "
        "and where raising the bound saves false alarms on validation without a miss there, it is raised half the way "
        "to the lowest defect. "
        f"`ok` below {bounds['ok_below']:.4f} (at most {policy['max_escapes']:.2%} of validation defects), `defect` "
        f"from {bounds['defect_from']:.4f} (at most {policy['max_overkill']:.2%} of sound validation parts), `review` "
        "between."
    )


def _altered(told: dict[str, Any]) -> str:
    rows = [
        (
            f"{one['name']} {'' if one['strength'] is None else format(one['strength'], 'g')}".strip(),
            f"{one['miss_rate']:.2%}",
            f"{one['false_alarm_rate']:.2%}",
            f"{one['ok_though_defect']:.2%}",
            f"{one['review']:.2%}",
            f"{one['rejected']:.2%}",
            "–" if one.get("rejected_whole") is None else f"{one['rejected_whole']:.2%}",
        )
        for one in told["steps"]
    ]
    head = ("Change", "Misses", "False alarms", "Defects passed as ok", "Review", "Rejected", "Though whole")
    title = f"## Another camera\n\nThe pictures of `{told['set']}`, altered first (`casting evaluate --altered`). "
    title += "Though whole: rejected with less than a hundredth of the rim outside the picture; – where not counted."
    return f"{title}\n\n{_table(head, rows)}"


def _refusals(told: dict[str, Any]) -> str:
    rows = [(name, rate(share)) for name, share in told.items()]
    return f"## What it refuses\n\n{_table(('Pictures', 'Rejected'), rows)}"


def _probes(told: dict[str, Any]) -> str:
    return "## Probes\n\n" + _table(("Probe", "Figure"), list(told.items()))


def _engine(card: dict[str, Any]) -> str:
    parity = card["parity"]
    return (
        "## Engine\n\n"
        f"OpenVINO; on {parity['pictures']} validation pictures the logit differs from Keras by at most "
        f"{parity['greatest_logit']:.2g}, any output by at most {parity['greatest']:.2g}. "
        "All figures here are the engine's."
    )


def _history(training: dict[str, Any]) -> str:
    rows = [
        (
            one["epoch"],
            f"{one['loss']:.4f}",
            f"{one['held_loss']:.4f}",
            f"{one['recall']:.2%}",
            f"{one['false_alarms']:.2%}",
        )
        for one in training["history"]
    ]
    head = ("Epoch", "Loss", "Validation loss", "Recall at 0.5", "False alarms at 0.5")
    recipe = ", ".join(f"{name} {value:g}" for name, value in training["recipe"].items())
    return (
        f"## Training\n\nSeed {training['seed']}, {training['workers']} worker(s); {recipe}. "
        f"Best epoch {training['best_epoch']}. Validation here is on the pictures as they are and one altered copy of "
        f"each.\n\n{_table(head, rows)}"
    )


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
