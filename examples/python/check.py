"""Asks a Clearlist server one question of every kind: python check.py [host:port]"""

import sys
import tempfile
from importlib import import_module
from pathlib import Path

import grpc
import grpc_tools.protoc
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, LocalizedMessage
from google.rpc.status_pb2 import Status

PROTO = Path(__file__).resolve().parents[2] / "proto"
TIMEOUT = 10  # seconds, for each call


def compile_protos():
    """Compiles proto/clearlist and imports it. google.rpc and google.type are only read here:
    their modules come from googleapis-common-protos, for a process that registers two versions
    of one proto file fails."""
    well_known = Path(grpc_tools.__file__).parent / "_proto"  # google/protobuf/*.proto
    files = [str(file) for file in sorted(PROTO.glob("clearlist/v1/*.proto"))]
    with tempfile.TemporaryDirectory() as out:
        args = [f"-I{PROTO}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
        if not files or grpc_tools.protoc.main(["protoc", *args, *files]) != 0:
            sys.exit(f"cannot compile the protos in {PROTO}")
        sys.path.insert(0, out)
        modules = ("decision_pb2", "clearance_service_pb2", "clearance_service_pb2_grpc")
        return [import_module(f"clearlist.v1.{module}") for module in modules]


decision_pb2, service, service_grpc = compile_protos()


def expect(condition: object, otherwise: str) -> None:
    if not condition:
        sys.exit(f"unexpected answer: {otherwise}")


def name(enum, number: int) -> str:
    """A newer server may send values that these protos do not know."""
    return enum.Name(number) if number in enum.values() else str(number)


def show_decision(decision) -> None:
    expect(decision.verdict, "a decision without a verdict")
    print("  verdict:", name(decision_pb2.Verdict, decision.verdict))
    for finding in decision.findings:
        print(f"  {name(decision_pb2.Reason, finding.reason)}: {finding.message_en}")
    for best in decision.matches[:1]:  # best first
        print(f"  entry {best.entry.entry_id} waives:", ", ".join(best.waived_documents) or "nothing")


def show_error(status: Status) -> list[str]:
    """Prints an error and returns the fields it names. The details of a Status are messages of
    any type: read those you know and skip the others."""
    print(f"  error: {name(Code, status.code)}: {status.message}")
    info, bad_request, localized = known = ErrorInfo(), BadRequest(), LocalizedMessage()
    for message in known:
        unpacked = any(detail.Unpack(message) for detail in status.details)
        expect(unpacked, f"an error without {message.DESCRIPTOR.full_name}")
    expect(info.reason and info.domain == "clearlist", "an ErrorInfo without a reason or of another domain")
    print("  reason:", info.reason)
    for violation in bad_request.field_violations:
        print(f"  field {violation.field}: {violation.description}")
    print(f"  {localized.locale}: {localized.message}")
    return [violation.field for violation in bad_request.field_violations]


def show_result(result) -> tuple[str, str]:
    """Prints a result of a batch or a stream; returns its correlation id and which kind it is."""
    kind = result.WhichOneof("result")
    expect(kind, "a result with neither decision nor error")
    print(f" {result.correlation_id}")
    show_decision(result.decision) if kind == "decision" else show_error(result.error)
    return result.correlation_id, kind


def main(address: str) -> None:
    # 10,000 decisions with their matches are far more than the 4 MiB gRPC receives by default.
    options = [("grpc.max_receive_message_length", 64 * 1024 * 1024)]
    with grpc.insecure_channel(address, options=options) as channel:
        server = service_grpc.ClearanceServiceStub(channel)
        Question = service.CheckClearanceRequest

        print("CheckClearance")
        question = Question(hs_code="2941.30.11.00", material_name="四环素")
        show_decision(server.CheckClearance(question, timeout=TIMEOUT).decision)

        questions = [
            Question(hs_code="2941301100", material_name="四环素", correlation_id="line-1"),
            # What a spreadsheet made of 3002150090. It spoils this line and no other.
            Question(hs_code="3.00215E+09", material_name="利妥昔单抗", correlation_id="line-2"),
            Question(hs_code="2941301200", cas_number="64-75-5", correlation_id="line-3"),
        ]
        expected = [("line-1", "decision"), ("line-2", "error"), ("line-3", "decision")]

        print("BatchCheckClearance")
        batch = service.BatchCheckClearanceRequest(items=questions)
        results = server.BatchCheckClearance(batch, timeout=TIMEOUT).results
        expect([show_result(result) for result in results] == expected, f"a batch other than {expected}")

        print("StreamCheckClearance")
        stream = (service.StreamCheckClearanceRequest(item=question) for question in questions)
        answers = server.StreamCheckClearance(stream, timeout=TIMEOUT)
        expect([show_result(answer) for answer in answers] == expected, f"a stream other than {expected}")

        print("SearchMaterials")
        found = server.SearchMaterials(service.SearchMaterialsRequest(text="sihuansu"), timeout=TIMEOUT)
        for result in found.results:
            print(f"  {result.score:.2f} {result.entry.entry_id} {result.matched_text}")
        print(f"  {len(found.results)} of {found.total_size}")
        expect(found.results, "nothing found for sihuansu")

        print("CheckClearance with a wrong code")
        try:
            server.CheckClearance(Question(hs_code="294130110", material_name="四环素"), timeout=TIMEOUT)
        except grpc.RpcError as error:
            print("  status:", error.code().name)
            expect(error.code() == grpc.StatusCode.INVALID_ARGUMENT, error.details())
            trailers = dict(error.trailing_metadata())
            status = Status.FromString(trailers.get("grpc-status-details-bin", b""))
            expect("hs_code" in show_error(status), "an error that does not name hs_code")
        else:
            expect(False, "nine digits were accepted as a code")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
    except grpc.RpcError as error:
        sys.exit(f"call failed: {error.code().name}: {error.details()}")
