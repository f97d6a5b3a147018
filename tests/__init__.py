from . import test_doors
from . import test_ecr_answer
from . import test_ecr_cipher
from . import test_ecr_link_http
from . import test_ecr_message
from . import test_ecr_official
from . import test_ecr_terminal
from . import test_tours
