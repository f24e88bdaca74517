"""Ways to declare what is not so, in the manifest and in the tables, and the check that has to see each."""

from __future__ import annotations

from mutants.mutant import Mutant

BUILD = '    body = {"model"'

DECLARED: dict[str, Mutant] = {
    # Its manifest.
    "a default host that the manifest lacks": Mutant(
        check="test_its_manifest_fits_it", manifest={'"talk.example"': '"other.example"'}
    ),
    "a variable that the manifest lacks": Mutant(
        check="test_its_manifest_fits_it", manifest={'"TALK_API_KEY"': '"TALK_KEY"'}
    ),
    "a misspelt section": Mutant(
        check="test_its_manifest_fits_it", manifest={"[providers.NAME]": "[providers.NAMES]"}
    ),
    "a manifest of tomorrow": Mutant(
        check="test_its_manifest_fits_it", manifest={"contract = 1": "contract = 99"}
    ),
    # Its tables.
    "a name in place of a request type": Mutant(
        check="test_its_operations_are_declared_as_the_core_reads_them",
        changes={"        ModelListRequest: Exchange": '        "models": Exchange'},
    ),
    "a bare function for an exchange": Mutant(
        check="test_its_operations_are_declared_as_the_core_reads_them",
        changes={'Exchange(build=lambda _: get_request("/names"), parse=names)': "names"},
    ),
    "a body for a request": Mutant(
        check="test_its_operations_are_declared_as_the_core_reads_them",
        changes={'    return json_request("/talk", body)': "    return body"},
    ),
    "a handler that is not there": Mutant(
        check="test_its_operations_are_declared_as_the_core_reads_them",
        kind="local",
        changes={'{ModelListRequest: "names"}': '{ModelListRequest: "lost"}'},
    ),
    "a build that breaks": Mutant(
        check="test_its_operations_are_declared_as_the_core_reads_them",
        changes={BUILD: '    call.wire["heat"] = call.heat\n' + BUILD},
    ),
    "a list of exchanges": Mutant(
        check="test_its_operations_are_declared_as_the_core_reads_them",
        changes={"": "\nHealthy.exchanges = list(Healthy.exchanges)\n"},
    ),
}
