"""The report on small synthetic result folders: complete, with parts missing, and damaged."""

import contextlib
import html.parser
import io
import json
import re
import shutil
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "report")]

import check_words
import derived
import derived_section
import drawing
import figures
import numpy as np
import page
import synthetic
import triscale_report

SECTIONS = ("summary", "agreement", "activity", "derived", "cost", "warnings", "method")


class Page(html.parser.HTMLParser):
    """What a test asks about a page."""

    VOID = {"meta", "img", "br", "link", "input", "hr"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.references, self.images, self.open, self.text = [], [], [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        self.references += [v for k, v in attributes if k in ("src", "href", "srcset", "action", "data")]
        if tag == "img":
            self.images.append(values)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.text += data


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = Path(tempfile.mkdtemp())
        synthetic.make(cls.base / "complete")
        cls.complete = cls.render(cls.base / "complete", draw=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    @staticmethod
    def render(folder, draw=False):
        """Without `draw` everything is plotted, but the pictures are not laid out and written, which is what takes long."""
        def unwritten(figure, alt):
            drawing.plt.close(figure)
            return f'<img alt="{alt}" src="data:image/svg+xml;base64,">'
        with contextlib.nullcontext() if draw else unittest.mock.patch.object(figures, "picture", unwritten):
            assert triscale_report.main([str(folder)]) == 0
        return (folder / "index.html").read_text(encoding="utf-8")

    def copy(self):
        folder = Path(tempfile.mkdtemp(dir=self.base)) / "run"
        shutil.copytree(self.base / "complete", folder)
        return folder

    def test_refers_to_nothing_outside_the_page(self):
        page = Page(self.complete)
        for reference in page.references:
            self.assertRegex(reference, r"^(#|data:image/svg\+xml;base64,)")
        self.assertNotIn("script", page.tags)
        self.assertNotRegex(self.complete, r"@import|url\(")

    def test_has_all_sections_and_well_formed_html(self):
        page = Page(self.complete)
        for section in SECTIONS:
            self.assertIn(section, page.ids)
            self.assertIn("#" + section, page.references)
        self.assertEqual(len(page.ids), len(set(page.ids)))
        self.assertEqual(page.open, [])

    def test_every_picture_says_in_words_what_it_shows(self):
        images = Page(self.complete).images
        self.assertEqual(len(images), 10)
        # forest, raster, levels, courses, distributions, spectra, responses, transfer functions, timings
        for image in images:
            self.assertGreater(len(image.get("alt", "")), 40)

    def test_opens_with_the_verdict_and_what_to_do(self):
        text = Page(self.complete).text
        self.assertIn("✗ The levels disagree", text)
        self.assertIn("for 2 s of simulated time", text)
        self.assertIn("All levels used the same connections", text)
        self.assertRegex(text, r"PV1 fires at 15.6 Hz in the mean-field level and 13.7 Hz in the point-neuron one")
        self.assertIn("--duration-ms 40000", text)
        self.assertLess(text.index("What to do"), text.index("Do the levels agree?"))

    def test_shows_every_check_and_every_reason_for_leaving_one_out(self):
        text = Page(self.complete).text
        consistency = json.loads((self.base / "complete" / "consistency.json").read_text())
        self.assertIn(f"All {len(consistency['checks'])} comparisons", text)
        for verdict in ("consistent", "inconsistent", "undecided"):
            wanted = sum(c["verdict"] == verdict for c in consistency["checks"])
            cells = self.complete.count(f'<td><span class="chip {verdict}">')
            self.assertEqual(cells, wanted, verdict)
        self.assertEqual(text.count("a mean-field model has rates and no spikes"), 9)

    def test_shows_derived_parameters_with_their_provenance(self):
        text = Page(self.complete).text
        for wanted in ("impedance + GIF maximum likelihood", "rate_rms_hz 0.31", "V_threshold_mV", "-51.2", "exc_to_Scnn1a",
                       "fitted on 60 s of fluctuating current"):
            self.assertIn(wanted, text)

    def test_shows_the_spread_over_sets_of_detailed_parameters_beside_that_of_the_training_data(self):
        folder = self.copy()
        reduced = json.loads((folder / "reduced.json").read_text())
        uncertainty = reduced["cell_types"][0]["point_provenance"]["uncertainty"]
        uncertainty.update({"variants_V_threshold_mV": 0.25, "eta_90ms_nA": 0.004, "variants_eta_90ms_nA": 0.004})
        (folder / "reduced.json").write_text(json.dumps(reduced))
        text = Page(self.render(folder)).text
        self.assertIn("Scnn1a: other sets of detailed parameters", text)
        self.assertRegex(text, r"over the setsby the training dataV_threshold_mV−51.20.250.05eta_90ms_nA0.020.0040.004")
        self.assertNotIn("variants_", text)
        self.assertNotIn("Rorb: other sets", text)

    def test_says_which_errors_of_the_derivation_are_beyond_their_tolerance_and_what_that_means(self):
        page = Page(self.complete)
        described = 2 * len(synthetic.POPULATIONS) + 1
        self.assertIn(f"{described} of {2 * described} errors", page.text)
        self.assertIn("-0.07", page.text)
        self.assertIn("fires too often (+) or too rarely", page.text)
        self.assertNotIn("more (+) or less (−) regular", page.text)  # within
        self.assertTrue(any(i["alt"].startswith(f"{described} of {2 * described} errors") for i in page.images))

    def test_says_when_all_errors_are_within_their_tolerance(self):
        reduced = synthetic.reduced()
        for entry in reduced["cell_types"] + reduced["synapse_types"]:
            for key in ("point_provenance", "meanfield_provenance"):
                entry.get(key, {}).get("tolerance", {}).update(rate_relative=0.1)
        text = derived_section.beyond_tolerance(derived.descriptions(reduced))
        self.assertIn("Within tolerance", text)
        self.assertNotIn("Beyond", text)

    def test_shows_how_well_the_derived_parameters_determine_the_rates(self):
        page = Page(self.complete)
        self.assertRegex(page.text, r"by the parameters: .*PV1 ±0.25 Hz \(point-neuron\).*PV1 ±0.38 Hz \(mean-field\)")
        self.assertNotRegex(page.text, r"±[\d.]+ Hz \(detailed\)")
        levels = next(i["alt"] for i in page.images if i["alt"].startswith("Mean rates"))
        self.assertIn("known to 0.38 Hz by its parameters", levels)

    def test_names_from_files_cannot_become_markup(self):
        self.assertIn("<b>odd & name</b>", Page(self.complete).text)
        self.assertNotIn("<b>odd", self.complete)

    def test_never_shows_nan_or_none(self):
        text = Page(self.complete).text
        self.assertNotRegex(text, r"\b(nan|NaN|None|inf)\b")

    def test_says_plainly_what_is_missing(self):
        folder = self.copy()
        shutil.rmtree(folder / "detailed")
        (folder / "consistency.json").unlink()
        (folder / "reduced.json").unlink()
        (folder / "point" / "spikes.h5").unlink()
        text = Page(self.render(folder)).text
        self.assertIn("There is no run of the detailed level", text)
        self.assertIn("consistency.json is missing: the levels are shown, but not compared", text)
        self.assertIn("There is no reduced.json: nothing to show", text)
        self.assertIn("point/spikes.h5 is missing", text)
        self.assertIn("There are no spikes to show", text)
        self.assertIn("Whether the levels agree was not checked", text)

    def test_survives_damaged_files_and_names_them(self):
        folder = self.copy()
        for name in ("consistency.json", "reduced.json", "point/spikes.h5", "meanfield/run.json", "detailed/rates.h5"):
            path = folder / name
            path.write_bytes(path.read_bytes()[:100])
        text = Page(self.render(folder)).text
        for name in ("consistency.json", "reduced.json", "point/spikes.h5", "meanfield/run.json", "detailed/rates.h5"):
            self.assertIn(f"{name} could not be read", text)

    def test_reports_on_the_folder_of_a_single_run(self):
        folder = self.copy() / "point"
        text = Page(self.render(folder)).text
        self.assertIn("One level was run; nothing to compare", text)
        self.assertNotIn("by the parameters", text)
        run = json.loads((folder / "run.json").read_text())
        run["populations"]["PV1"]["rate_parameter_sd_hz"] = 0.5
        (folder / "run.json").write_text(json.dumps(run))
        self.assertIn("by the parameters: PV1 ±0.5 Hz (point-neuron).", Page(self.render(folder)).text)
        self.assertNotIn("consistency.json is missing", text)

    def test_a_run_without_any_spike_is_shown(self):
        folder = self.copy()
        import h5py
        for tier in ("detailed", "point"):
            with h5py.File(folder / tier / "spikes.h5", "w") as file:
                file.create_group("spikes/internal")
                file["spikes/internal/timestamps"] = np.empty(0)
                file["spikes/internal/node_ids"] = np.empty(0, dtype=np.uint64)
        self.assertIn("What the circuit does", Page(self.render(folder)).text)

    def test_warns_when_levels_used_different_connections(self):
        folder = self.copy()
        run = json.loads((folder / "point" / "run.json").read_text())
        run["edge_hash"] = "0000000000000001"
        (folder / "point" / "run.json").write_text(json.dumps(run))
        self.assertIn("the levels did not use the same connections", Page(self.render(folder)).text)

    def test_refuses_a_folder_without_results(self):
        with tempfile.TemporaryDirectory() as empty, contextlib.redirect_stderr(io.StringIO()) as errors:
            self.assertEqual(triscale_report.main([empty]), 2)
            self.assertEqual(triscale_report.main([empty + "/nowhere"]), 2)
            self.assertFalse(list(Path(empty).iterdir()))
        self.assertIn("holds no results", errors.getvalue())

    def test_leaves_no_temporary_file(self):
        self.assertEqual([p.name for p in (self.base / "complete").glob("*.tmp")], [])

    def test_assigns_spikes_of_one_node_population_to_its_types(self):
        import result_folder
        results = result_folder.load(self.base / "complete")
        tier = results.tier("detailed")
        total = sum(len(p.spikes[0]) for p in tier.populations.values())
        self.assertEqual(total, tier.run["spikes"])
        self.assertEqual(tier.unassigned_spikes, 0)
        self.assertLess(tier.populations["PV1"].spikes[1].max(), synthetic.POPULATIONS["PV1"][0])
        rates = tier.populations["PV1"].rates_of_cells(*results.window())
        self.assertAlmostEqual(rates.mean(), synthetic.POPULATIONS["PV1"][1], delta=2.0)

    def test_sizes_of_signals_have_short_numbers(self):
        import signal_figures

        for value, unit, text in ((0.2, "mV", "0.2 mV"), (2e-4, "mV", "0.2 µV"), (1e-7, "mV", "0.1 nV"), (3e-9, "mV", "3 pV"), (0.0, "mV", "0 mV"),
                                  (2000.0, "nA um", "2000 nA um")):
            self.assertEqual(signal_figures.amount(value, unit), text)

    def test_spectrum_integrates_to_the_variance(self):
        rates = 20 + 5 * np.sin(2 * np.pi * 40 * np.arange(8192) * 0.002)
        frequency, power = figures.welch(rates, 2.0, 500)
        self.assertAlmostEqual(power.sum() * frequency[1], 12.5, delta=0.05)
        self.assertAlmostEqual(frequency[power.argmax()], 40.0)

    def test_tells_verdicts_without_colour_and_on_paper(self):
        text = (self.base / "complete" / "index.html").read_text(encoding="utf-8")
        fields = re.findall(r'<td class="cell (\w+)"[^>]*>(.*?)</td>', text) + re.findall(r'<span class="chip (\w+)">(.*?)</span>', text)
        self.assertTrue(fields)
        for verdict, content in fields:
            self.assertIn({"consistent": "✓", "inconsistent": "✗", "undecided": "?"}[verdict], content)
        paper = text[text.index("@media print"):]
        paper = paper[:paper.index("</style>")]
        for rule in (".chip, .matrix td.cell { border", "nav { display: none", "::details-content { content-visibility: visible"):
            self.assertIn(rule, paper)

    def test_draws_the_responses_of_every_population(self):
        found = Page(self.complete)
        pictures = [image["alt"] for image in found.images if "response of every population" in image["alt"]]
        self.assertEqual(len(pictures), 1)
        for name in synthetic.POPULATIONS:
            self.assertIn(name, pictures[0])
        self.assertIn("over 20 repetitions", found.text)

    def test_groups_checks_by_population_and_opens_those_that_disagree(self):
        check = {"statistic": "mean_rate", "finer": "detailed", "coarser": "point", "verdict": "consistent", "tolerance": 1}
        checks = [{**check, "population": f"P{k}"} for k in range(40)]
        checks[7]["verdict"] = "inconsistent"
        text = page.check_list(checks)
        self.assertEqual(text.count("<details"), 40)
        self.assertEqual(re.findall(r"<details[^>]* open><summary>(\w+)", text), ["P7"])


class SweepTest(unittest.TestCase):
    def test_a_correlation_above_what_is_expected_is_no_distance(self):
        check = {"statistic": "rate_correlation", "difference": 0.4, "tolerance": 0.2}
        self.assertEqual(check_words.severity(check), 0)
        self.assertEqual(check_words.severity({**check, "difference": -0.4}), 2)
        self.assertEqual(check_words.severity({**check, "statistic": "mean_rate"}), 2)

    def test_draws_a_map_that_says_where_each_reduction_holds_and_what_failed(self):
        import sweep
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        points = []
        for k, difference in enumerate((0.1, 0.9, 3.0)):
            (folder / f"points/{k}").mkdir(parents=True)
            verdict = ("consistent", "undecided", "inconsistent")[k]
            check = {"statistic": "mean_rate", "population": "E", "finer": "detailed", "coarser": "point", "finer_value": 8,
                     "coarser_value": 8 + difference, "difference": difference, "tolerance": 1, "verdict": verdict}
            (folder / f"points/{k}/consistency.json").write_text(json.dumps({"checks": [check]}))
            points.append({"values": [0.5 * k], "folder": f"points/{k}", "status": "done", "verdict": verdict})
        points.append({"values": [1.5], "folder": "points/3", "status": "failed", "problem": "V is not finite"})
        (folder / "sweep.json").write_text(json.dumps({
            "config": "c.json", "derived": "once", "axes": [{"key": "scale.external", "values": [0, 0.5, 1, 1.5]}], "points": points}))
        self.assertEqual(sweep.main([str(folder)]), 0)
        parsed = Page((folder / "index.html").read_text(encoding="utf-8"))
        self.assertIn("of 3 points, 1 consistent, 1 inconsistent, 1 undecided", parsed.text)
        self.assertIn("V is not finite", parsed.text)
        overview = next(i["alt"] for i in parsed.images if i["alt"].startswith("Map of agreement"))
        self.assertIn("at 1: inconsistent 3.0", overview)
        self.assertIn("at 1.5: failed", overview)
        self.assertEqual(sweep.main([str(folder / "points")]), 2)


class AnalysisTest(unittest.TestCase):
    ANALYSIS = {
        "config": "<circuit>", "populations": ["E", "I"], "chosen_state": 0.0, "search_consistent": True, "validity": [],
        "states": [{"rates_hz": [5.0, 10.0], "stable": False, "extrapolated_share": 0.0, "modes": []}],
        "rate_distributions": [{"mean_hz": 5.0, "sd_hz": 1.0, "nearly_silent_share": 0.1, "spikes_of_most_active_tenth": 0.2}] * 2,
        "second_order": {"rates_hz": [5.1, 9.9], "sd_hz": [0.5, 0.0], "covariance_hz2": [[0.25, 0.0], [0.0, 0.0]]},
        "density": [{"potential_mV": [-1.0, 0.0, 1.0], "with_jumps_per_mV": [0.1, 0.3, 0.1], "by_diffusion_per_mV": [0.1, 0.2, 0.2],
                     "rate_hz": 4.0, "diffusion_rate_hz": 5.0, "change_by_jumps": -0.2, "largest_jump_mV": 0.5},
                    {"potential_mV": [], "with_jumps_per_mV": [], "by_diffusion_per_mV": [],
                     "rate_hz": 0.0, "diffusion_rate_hz": 0.0, "change_by_jumps": 0.0, "largest_jump_mV": 0.0}],
        "wilson_cowan": {"rates_hz": [5.0, 10.0], "highest_hz": [500.0, 500.0], "tau_ms": [8.0, 4.0], "misfit": [0.4, 0.05],
                         "coupling": [[0.5, -1.0], [1.0, 0.0]], "delay_ms": [[1.0, 1.5], [1.0, 0.0]], "stable": True, "modes": [],
                         "response": {"population": "E", "amplitude": 0.1, "unit": "mV", "duration_ms": 5.0, "time_ms": [0.0, 1.0, 2.0],
                                      "theory_hz": [[0.0, 1.0, 0.5], [0.0, 0.5, 0.2]], "wilson_cowan_hz": [[0.0, 0.9, 0.5], [0.0, 0.4, 0.2]]}},
    }

    def test_the_page_of_an_analysis_draws_what_was_asked_and_says_where_it_does_not_hold(self):
        import analysis

        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "analysis.json").write_text(json.dumps({**self.ANALYSIS, "rate_parameter_sd_hz": [0.125, None]}), encoding="utf-8")
        with unittest.mock.patch.object(sys, "argv", ["analysis.py", str(folder)]):
            self.assertEqual(analysis.main(), 0)
        parsed = Page((folder / "analysis.html").read_text(encoding="utf-8"))
        self.assertEqual(len(parsed.images), 3)
        self.assertIn("-20 %", parsed.text)
        self.assertRegex(parsed.text, r"standard deviation of state 1 by the derived parameters \(Hz\)E.*0\.12I.*-")
        self.assertIn("One time constant does not describe E:", parsed.text)
        self.assertIn("do not agree on whether the state is stable", parsed.text)
        self.assertIn("The state is unstable", parsed.text)
        self.assertIn("<circuit>", parsed.text)
        for word in ("nan", "None"):
            self.assertNotIn(word, parsed.text)


if __name__ == "__main__":
    unittest.main()
