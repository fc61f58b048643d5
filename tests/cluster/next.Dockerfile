# The image of tomorrow, for rolling out: the same software with its model under another version.
#   docker build -t casting-product-api:next -f tests/cluster/next.Dockerfile tests/cluster
FROM casting-product-api:latest
USER 0
RUN cd /app/models && old=$(ls | grep -v aliases) && mv "$old" next \
 && sed -i "s/\"version\": \"$old\"/\"version\": \"next\"/" next/card.json \
 && echo '{"champion": "next"}' >aliases.json && grep -q '"version": "next"' next/card.json
USER 10001:10001
