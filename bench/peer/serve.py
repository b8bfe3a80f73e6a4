"""How a peer answers: one request a line (JSON) on standard input, one answer a line on standard output."""
import json
import sys


def serve(handlers):
    """`do` names the handler; the other fields of a request are its arguments, after a dict that lives as long as the process."""
    state = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = handlers[request.pop("do")](state, **request)
        except Exception as error:  # the other side tells it; the next request may succeed
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
